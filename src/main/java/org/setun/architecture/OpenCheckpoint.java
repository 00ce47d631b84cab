package org.setun.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.GgufCheckpoint;

/**
 * A checkpoint whose tensors are mapped and whose configuration is read.
 *
 * @param directory where the files beside the tensors lie
 * @param config what config.json says; empty for a GGUF file, whose configuration lies in the file
 * @param tensors the mapped tensors; closed with this
 */
record OpenCheckpoint(Path directory, Optional<ConfigObject> config, Checkpoint tensors) implements AutoCloseable {

    private static final String CONFIG = "config.json";

    /** Opens the checkpoint at {@code path}: a directory, or a file of tensors in one. */
    static OpenCheckpoint open(Path path) throws CheckpointFormatException, IOException {
        Checkpoint tensors = Checkpoint.open(path);
        try {
            Path directory = Files.isDirectory(path) ? path : path.resolveSibling("");
            return new OpenCheckpoint(
                    directory,
                    tensors instanceof GgufCheckpoint ? Optional.empty() : Optional.of(readConfig(directory)),
                    tensors);
        } catch (CheckpointFormatException | IOException | RuntimeException e) {
            tensors.close();
            throw e;
        }
    }

    private static ConfigObject readConfig(Path directory) throws CheckpointFormatException, IOException {
        Path file = directory.resolve(CONFIG);
        if (!Files.isRegularFile(file)) {
            throw CheckpointFormatException.mismatch(
                    file.toString(),
                    "the model's configuration",
                    "no such file",
                    "copy it from where the weights come from");
        }
        return ConfigObject.read(file);
    }

    /**
     * Returns how the checkpoint becomes a model.
     *
     * @throws CheckpointFormatException if this version does not run it, a key is missing, or a value is not understood
     */
    Recipe recipe() throws CheckpointFormatException {
        return tensors instanceof GgufCheckpoint gguf ? GgufRecipe.of(gguf) : Recipe.of(config.orElseThrow());
    }

    /** Returns the family's name. */
    String family() throws CheckpointFormatException {
        return tensors instanceof GgufCheckpoint gguf
                ? gguf.keyValues().string(GgufRecipe.ARCHITECTURE)
                : config.orElseThrow().text("model_type");
    }

    /** Returns the name of upstream's model class, or the family's name where none is given. */
    String architecture() throws CheckpointFormatException {
        List<String> architectures = config.isPresent() ? config.get().texts("architectures") : List.of();
        return architectures.isEmpty() ? family() : architectures.getFirst();
    }

    @Override
    public void close() {
        tensors.close();
    }
}
