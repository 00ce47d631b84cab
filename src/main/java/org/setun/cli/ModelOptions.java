package org.setun.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadedModel;
import org.setun.architecture.ModelLoader;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.kernel.WorkerPool;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that runs a model. */
final class ModelOptions {

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "A checkpoint directory or file; default: the model that ships.")
    private @Nullable Path model;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; default: one a core.")
    private @Nullable Integer threads;

    @Mixin
    private KernelOptions kernelOptions = new KernelOptions();

    @Option(
            names = "--activation-sparsity",
            paramLabel = "S",
            description = "The fraction of activations to drop in every layer, below 1; default: the model's own.")
    private double activationSparsity;

    /** Finds the checkpoint: the one named, or the one that ships. The caller closes it. */
    ModelSource source() throws IOException {
        return ModelSource.open(model);
    }

    /**
     * Loads the model of {@code source}; the caller closes it.
     *
     * @param head how logits are computed where only the largest matter
     */
    LoadedModel load(ModelSource source, HeadMode head) throws CheckpointFormatException, IOException {
        if (!(activationSparsity >= 0 && activationSparsity < 1)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--activation-sparsity: expected at least 0 and less than 1, found " + activationSparsity);
        }
        return load(source, activationSparsity, head, true);
    }

    /**
     * Loads the model of {@code source} with an exact head, so that its layers drop what the tokens ask for and nothing by
     * themselves; the caller closes it.
     *
     * @param dropped the fraction of activations that tokens will ask to drop, at least 0 and less than 1
     * @throws ParameterException if the user asked for a fraction, too
     */
    LoadedModel loadDropping(ModelSource source, double dropped) throws CheckpointFormatException, IOException {
        if (activationSparsity != 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--activation-sparsity: expected no --keep beside it, found " + activationSparsity);
        }
        return load(source, dropped, HeadMode.EXACT, false);
    }

    private LoadedModel load(ModelSource source, double maxActivationSparsity, HeadMode head, boolean ownSparsity)
            throws CheckpointFormatException, IOException {
        int count = threads == null ? KernelSelection.physicalCores() : threads;
        if (count < 1) {
            throw new ParameterException(spec.commandLine(), "--threads: expected 1 or more, found " + count);
        }
        LoadOptions options = new LoadOptions(
                kernelOptions.keyValueFormat(), OptionalDouble.of(maxActivationSparsity), head, ownSparsity);
        Kernels kernels = kernelOptions.select(spec, WorkerPool.of(count));
        try (ConsoleProgress progress = new ConsoleProgress("loading")) {
            return ModelLoader.load(source.path(), kernels, options, progress);
        } catch (CheckpointFormatException | IOException | RuntimeException e) {
            kernels.workers().close();
            throw e;
        }
    }

    /** Returns the fraction of activations that the tokens' layers are to drop, checked by {@link #load}. */
    double activationSparsity() {
        return activationSparsity;
    }
}
