package org.setun.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;

/**
 * A checkpoint whose tensors are mapped and whose configuration is read.
 *
 * @param directory where the files beside the tensors lie
 * @param config what config.json says
 * @param tensors the mapped tensors; closed with this
 */
record OpenCheckpoint(Path directory, ConfigObject config, Checkpoint tensors) implements AutoCloseable {

    private static final String CONFIG = "config.json";

    /** Opens the checkpoint at {@code path}: a directory, or a file of tensors in one. */
    static OpenCheckpoint open(Path path) throws CheckpointFormatException, IOException {
        Checkpoint tensors = Checkpoint.open(path);
        try {
            Path directory = Files.isDirectory(path) ? path : path.resolveSibling("");
            Path file = directory.resolve(CONFIG);
            if (!Files.isRegularFile(file)) {
                throw CheckpointFormatException.mismatch(
                        file.toString(),
                        "the model's configuration",
                        "no such file",
                        "copy it from where the weights come from");
            }
            return new OpenCheckpoint(directory, ConfigObject.read(file), tensors);
        } catch (CheckpointFormatException | IOException | RuntimeException e) {
            tensors.close();
            throw e;
        }
    }

    /** Returns the family's name. */
    String family() throws CheckpointFormatException {
        return config.text("model_type");
    }

    /** Returns the name of upstream's model class, or the family's name where config.json names none. */
    String architecture() throws CheckpointFormatException {
        List<String> architectures = config.texts("architectures");
        return architectures.isEmpty() ? family() : architectures.getFirst();
    }

    @Override
    public void close() {
        tensors.close();
    }
}
