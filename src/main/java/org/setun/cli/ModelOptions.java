package org.setun.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.LoadedModel;
import org.setun.architecture.ModelLoader;
import org.setun.checkpoint.BundledModel;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
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

    @Option(
            names = "--kernel",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "The arithmetic: auto, scalar, vector-128, vector-256 or vector-512; default: auto.")
    private String kernel = "auto";

    /** An open checkpoint: its directory, and its model once loaded. Closing it frees both. */
    static final class Source implements AutoCloseable {
        private final Path path;
        private final @Nullable BundledModel bundled;

        private Source(Path path, @Nullable BundledModel bundled) {
            this.path = path;
            this.bundled = bundled;
        }

        /** Returns the checkpoint's directory or file. */
        Path path() {
            return path;
        }

        @Override
        public void close() {
            if (bundled != null) {
                bundled.close();
            }
        }
    }

    /** Finds the checkpoint: the one named, or the one that ships. */
    Source source() throws IOException {
        if (model != null) {
            return new Source(model, null);
        }
        BundledModel bundled = BundledModel.extract();
        return new Source(bundled.directory(), bundled);
    }

    /** Loads the model of {@code source}; the caller closes it. */
    LoadedModel load(Source source) throws CheckpointFormatException, IOException {
        int count = threads == null ? KernelSelection.physicalCores() : threads;
        if (count < 1) {
            throw new ParameterException(spec.commandLine(), "--threads: expected 1 or more, found " + count);
        }
        Kernels kernels = kernels(count);
        try (ConsoleProgress progress = new ConsoleProgress("loading")) {
            return ModelLoader.load(source.path(), kernels, progress);
        } catch (CheckpointFormatException | IOException | RuntimeException e) {
            kernels.workers().close();
            throw e;
        }
    }

    private Kernels kernels(int count) {
        try {
            return KernelSelection.select(kernel, count);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--kernel: " + e.getMessage(), e);
        }
    }
}
