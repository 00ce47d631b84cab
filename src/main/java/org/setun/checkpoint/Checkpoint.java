package org.setun.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/**
 * An open checkpoint: named tensors, memory-mapped and checked, whatever container they lie in. The caller asks by name
 * and states the shape that it expects; {@link #requireAllUsed} at the end finds what nobody asked for.
 *
 * <p>The checkpoint owns the memory of its tensors: {@link StoredTensor#bytes} and every view of it are valid until
 * {@link #close}. Safe for use by several threads, save that closing must come after the last use.
 */
public sealed interface Checkpoint extends AutoCloseable permits SafetensorsCheckpoint, GgufCheckpoint {

    /**
     * Opens a checkpoint read-only.
     *
     * <p>A directory is opened as {@code model.safetensors} or, where that is absent, as the shards that
     * {@code model.safetensors.index.json} lists, or else as the one GGUF model that lies in it. A file is opened by its
     * first bytes, whatever its name, except that {@code *.safetensors.index.json} stands for its shards and a part of a
     * GGUF model for all its parts.
     *
     * @throws CheckpointFormatException if the path holds no checkpoint that this version reads, or a broken one
     * @throws IOException if reading fails
     */
    static Checkpoint open(Path directoryOrFile) throws CheckpointFormatException, IOException {
        return CheckpointOpener.open(directoryOrFile);
    }

    /** Returns the path that was opened, for messages. */
    String location();

    /** Returns all tensors, in the order in which their bytes lie in the file, shards by name. */
    Collection<StoredTensor> tensors();

    /** Returns the tensor called {@code name} if there is one, and marks it as used. */
    Optional<StoredTensor> find(String name);

    /**
     * Returns the tensor called {@code name} and marks it as used.
     *
     * @throws CheckpointFormatException if there is none; the message names the most similar names
     */
    StoredTensor require(String name) throws CheckpointFormatException;

    /**
     * Returns the tensor called {@code name} and marks it as used.
     *
     * @throws CheckpointFormatException if there is none, or its shape is not {@code expected}
     */
    default StoredTensor require(String name, Shape expected) throws CheckpointFormatException {
        StoredTensor tensor = require(name);
        tensor.requireShape(expected);
        return tensor;
    }

    /**
     * Returns the packed trits called {@code name} of a matrix {@code [rows, columns]} and marks them as used.
     *
     * @throws CheckpointFormatException if there are none, the packing cannot hold such a matrix, or the element type
     *     or the stored shape is not the packing's
     */
    default StoredTensor requirePacked(String name, TernaryPacking packing, int rows, int columns)
            throws CheckpointFormatException {
        StoredTensor tensor = require(name);
        if (!packing.canPack(rows, columns)) {
            throw CheckpointFormatException.invalid(
                    tensor.where(),
                    "a matrix [" + rows + ", " + columns + "] cannot be stored as " + packing.configName(),
                    "choose another packing in config.json and convert the checkpoint again");
        }
        tensor.requireType(ElementType.U8);
        tensor.requireShape(packing.packedShape(rows, columns));
        return tensor;
    }

    /**
     * Checks that every tensor has been asked for, so that no weight is left out unnoticed.
     *
     * @throws CheckpointFormatException naming up to five tensors that nobody asked for
     */
    void requireAllUsed() throws CheckpointFormatException;

    /**
     * Reads through all data, at the speed of memory, and compares it with the checksum that a file carries; nothing happens
     * where it carries none.
     *
     * @throws CheckpointFormatException if they differ
     */
    void verifyChecksum() throws CheckpointFormatException;

    /** Returns the container's own key-value metadata; sorted by key; of shards the union, the first shard winning. */
    Map<String, String> metadata();

    /** Unmaps the files. Closing twice does nothing. */
    @Override
    void close();
}
