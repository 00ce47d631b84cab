package org.setun.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.setun.checkpoint.BundledModel;

/** A checkpoint that a command works on: the one that the user named, or the one that ships. */
final class ModelSource implements AutoCloseable {

    private final Path path;
    private final @Nullable BundledModel bundled;

    private ModelSource(Path path, @Nullable BundledModel bundled) {
        this.path = path;
        this.bundled = bundled;
    }

    /**
     * Finds a checkpoint. The caller closes it.
     *
     * @param named what the user named; null for the model that ships
     */
    static ModelSource open(@Nullable Path named) throws IOException {
        if (named != null) {
            return new ModelSource(named, null);
        }
        BundledModel bundled = BundledModel.extract();
        return new ModelSource(bundled.directory(), bundled);
    }

    /** Returns the checkpoint's directory or file. */
    Path path() {
        return path;
    }

    /** Returns what to call the checkpoint before the user. */
    String name() {
        return bundled == null ? path.toString() : BundledModel.NAME;
    }

    @Override
    public void close() {
        if (bundled != null) {
            bundled.close();
        }
    }
}
