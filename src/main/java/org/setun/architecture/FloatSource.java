package org.setun.architecture;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.tensor.ElementType;

/**
 * A float matrix in a checkpoint, read row by row or as it lies. Safe for use by several threads.
 *
 * @param tensor where it is stored, {@code [rows, columns]}
 */
record FloatSource(StoredTensor tensor) {

    FloatSource {
        if (!tensor.type().isFloatWeight() && !tensor.type().isBlock()) {
            throw new IllegalArgumentException(tensor.where() + " has no float values");
        }
    }

    /** Returns the float type that holds all values as they are. */
    ElementType type() {
        return isPlain() ? tensor.type() : ElementType.F32;
    }

    /** Returns whether the stored bytes are values of {@link #type}. */
    boolean isPlain() {
        return !tensor.type().isBlock();
    }

    /** Returns the size of all values as {@link #type}. */
    long loadedBytes() {
        return tensor.shape().elements() * type().bytes();
    }

    /** Returns whether the matrix can stay in its file, which is read only where a row is wanted. */
    boolean canStayMapped() {
        return isPlain() && tensor.isInFile();
    }

    /** Maps the stored bytes for as long as {@code arena} is open. */
    MemorySegment mapAgain(Arena arena) throws IOException {
        return tensor.mapAgain(arena);
    }

    /** Returns the stored bytes. */
    MemorySegment bytes() {
        return tensor.bytes();
    }

    /**
     * Reads row {@code row} as float32 to {@code out[offset .. offset + columns)}.
     *
     * @throws CheckpointFormatException if a code there has no value
     */
    void readRow(int row, float[] out, int offset) throws CheckpointFormatException {
        tensor.readRow(row, out, offset);
    }
}
