package org.setun.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The model that ships on the class path, copied to a temporary directory, because only a file can be mapped. The
 * directory is deleted on {@link #close}, or when the JVM exits if nobody closed it.
 */
public final class BundledModel implements AutoCloseable {

    /** The model's name. */
    public static final String NAME = "setun-fairy";

    private static final String RESOURCES = "models/" + NAME + "/";

    // A list, since the entries of a nested jar cannot be enumerated portably.
    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors");

    private final Path directory;
    private final Thread deleteAtExit;
    private boolean closed;

    private BundledModel(Path directory) {
        this.directory = directory;
        this.deleteAtExit = new Thread(() -> deleteAll(directory), "bundled-model-cleanup");
    }

    /**
     * Copies the model out of the class path.
     *
     * @throws FileNotFoundException if this build carries no model
     * @throws IOException if the temporary directory cannot be written
     */
    public static BundledModel extract() throws IOException {
        return extract(BundledModel.class.getClassLoader());
    }

    static BundledModel extract(ClassLoader loader) throws IOException {
        Path directory = Files.createTempDirectory("setun-model-");
        BundledModel model = new BundledModel(directory);
        try {
            Runtime.getRuntime().addShutdownHook(model.deleteAtExit);
            for (String file : FILES) {
                copy(loader, file, directory);
            }
            return model;
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static void copy(ClassLoader loader, String file, Path directory) throws IOException {
        try (@Nullable InputStream in = loader.getResourceAsStream(RESOURCES + file)) {
            if (in == null) {
                throw new FileNotFoundException("class path: expected the bundled model's " + RESOURCES + file
                        + ", found nothing; build the jar with the model or name a checkpoint with --model PATH");
            }
            Files.copy(in, directory.resolve(file));
        }
    }

    /** Returns the directory, laid out like any checkpoint directory, valid until {@link #close}. */
    public Path directory() {
        return directory;
    }

    /** Deletes the directory; the checkpoint opened from it must be closed before. Closing twice does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        deleteAll(directory);
        try {
            Runtime.getRuntime().removeShutdownHook(deleteAtExit);
        } catch (IllegalStateException alreadyExiting) {
            // The JVM is exiting: the hook finds nothing left to delete.
        }
    }

    private static void deleteAll(Path directory) {
        try {
            for (String file : FILES) {
                Files.deleteIfExists(directory.resolve(file));
            }
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + directory, e);
        }
    }
}
