package org.setun.architecture;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.Kernels;
import org.setun.model.TernaryModel;
import org.setun.tensor.HugePageArena;

/** Turns a checkpoint on disk into a model in memory. */
public final class ModelLoader {

    /** Of random weights: the same in every run, so that two runs compute the same. */
    private static final long SEED = 1958;

    private ModelLoader() {}

    /**
     * Loads a model of any family. Besides the weights in their final form, no more than a row of one tensor for each thread
     * is held. The checkpoint's files are closed before this returns, but that matrices of which only rows are read, as {@link
     * FloatPlacement} says, stay mapped until the model is closed: until then their files must not be written to.
     *
     * @param path a checkpoint directory, or a file of tensors with its config.json beside it
     * @param kernels whose workers share the work, and which the model then owns; if this throws, they remain the caller's
     * @param options how it is to be loaded
     * @param progress told of every tensor that is in memory
     * @throws CheckpointFormatException if the checkpoint is damaged, or this version does not run it
     * @throws IOException if a file cannot be read
     */
    public static LoadedModel load(Path path, Kernels kernels, LoadOptions options, LoadProgress progress)
            throws CheckpointFormatException, IOException {
        return load(path, kernels, options, progress, false);
    }

    /**
     * Loads a model as {@link #load} does, and with it a {@link LoadedModel#digest digest} of all that its states depend on but for
     * how attention keeps keys and values: 64 hexadecimal digits, which are the same for the same checkpoint in every process. Costs
     * another reading of all tensors, by all workers.
     */
    public static LoadedModel loadNamed(Path path, Kernels kernels, LoadOptions options, LoadProgress progress)
            throws CheckpointFormatException, IOException {
        return load(path, kernels, options, progress, true);
    }

    // The arena becomes the model's, which closes it.
    @SuppressWarnings("MustBeClosedChecker")
    private static LoadedModel load(
            Path path, Kernels kernels, LoadOptions options, LoadProgress progress, boolean named)
            throws CheckpointFormatException, IOException {
        try (OpenCheckpoint checkpoint = OpenCheckpoint.open(path)) {
            Recipe recipe = checkpoint.recipe();
            ModelSpec spec = options.spec(recipe.spec());
            checkpoint.tensors().verifyChecksum();
            GenerationDefaults defaults = GenerationDefaults.read(checkpoint.directory(), spec.tokens());
            TensorReader reader = new TensorReader(checkpoint.tensors(), kernels.workers());
            WeightSource weights = recipe.weights(reader);
            long totalBytes = reader.totalBytes();
            Arena arena = HugePageArena.ofShared();
            try {
                ModelBuilder builder = new ModelBuilder(
                        spec,
                        weights,
                        kernels,
                        options,
                        arena,
                        tensor -> progress.update(tensor, reader.bytesRead(), totalBytes));
                TernaryModel model = builder.build();
                checkpoint.tensors().requireAllUsed();
                ModelReport report = builder.report().build(checkpoint, spec, options.keyValues());
                Optional<String> digest = named
                        ? Optional.of(CheckpointDigest.of(
                                spec, List.copyOf(checkpoint.tensors().tensors()), kernels.workers()))
                        : Optional.empty();
                return new LoadedModel(model, report, defaults, digest, options.limit(spec));
            } catch (CheckpointFormatException | IOException | RuntimeException | Error e) {
                arena.close();
                throw e;
            }
        }
    }

    /**
     * Makes a model of a published shape with random weights, which writes nonsense as fast as the real one writes sense.
     *
     * @param kernels whose workers share the work, and which the model then owns; if this throws, they remain the caller's
     * @param options how it is to be loaded
     */
    // The arena becomes the model's, which closes it.
    @SuppressWarnings("MustBeClosedChecker")
    public static LoadedModel random(NamedShape shape, Kernels kernels, LoadOptions options) {
        ModelSpec spec = options.spec(shape.spec());
        Arena arena = HugePageArena.ofShared();
        try (RandomWeights weights = new RandomWeights(spec.layers().size(), SEED, kernels.workers())) {
            ModelBuilder builder = new ModelBuilder(spec, weights, kernels, options, arena, tensor -> {});
            TernaryModel model = builder.build();
            ModelReport report = builder.report().build(shape, options.keyValues());
            return new LoadedModel(
                    model, report, GenerationDefaults.of(spec.tokens()), Optional.empty(), options.limit(spec));
        } catch (CheckpointFormatException | IOException e) {
            arena.close();
            throw new IllegalStateException("random weights are no file that could be damaged", e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }
}
