package org.setun.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.Shape;

/**
 * A tensor as it lies in a checkpoint file.
 *
 * @param location the path of the file, by which messages name it
 * @param name the tensor's name in the file
 * @param type how an element is stored
 * @param shape the stored shape, slowest-varying first
 * @param bytes exactly the tensor's bytes: row-major, little-endian, at any alignment, read-only, valid while the
 *     checkpoint is open; of a block type the blocks in the order of their elements
 * @param fileOffset where the bytes begin in the file; {@link #NO_FILE} for a tensor that lies in none
 */
public record StoredTensor(
        String location, String name, ElementType type, Shape shape, MemorySegment bytes, long fileOffset) {

    /** The offset of a tensor that lies in no file. */
    public static final long NO_FILE = -1;

    /** What to do when a tensor is not as the config says. */
    static final String SAME_MODEL = "take config.json and the weights from the same model";

    private static final String OTHER_FORMAT = "convert the checkpoint again";
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    public StoredTensor {
        long size = type.storedBytes(shape.elements());
        if (bytes.byteSize() != size) {
            throw new IllegalArgumentException("tensor " + name + ": expected " + size + " bytes for " + shape + " "
                    + type + ", found " + bytes.byteSize());
        }
    }

    /** Creates a tensor that lies in no file. */
    public StoredTensor(String location, String name, ElementType type, Shape shape, MemorySegment bytes) {
        this(location, name, type, shape, bytes, NO_FILE);
    }

    /** Returns whether the tensor lies in a file, so that {@link #mapAgain} can map it. */
    public boolean isInFile() {
        return fileOffset != NO_FILE;
    }

    /**
     * Maps the tensor's bytes once more, read-only and for as long as {@code arena} is open, so that they outlive the checkpoint and
     * take memory only where they are read.
     *
     * @throws IOException if the file is no longer there or has become shorter
     */
    public MemorySegment mapAgain(Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(Path.of(location), StandardOpenOption.READ)) {
            if (channel.size() < fileOffset + bytes.byteSize()) {
                throw new IOException(where() + ": expected " + bytes.byteSize() + " bytes at " + fileOffset
                        + ", found a file of " + channel.size() + " bytes; it was changed while it was read");
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, fileOffset, bytes.byteSize(), arena);
        }
    }

    /** Returns file and tensor as messages begin: {@code model.safetensors: tensor lm_head.weight}. */
    public String where() {
        return location + ": tensor " + CheckpointFormatException.printable(name);
    }

    /**
     * Checks the stored shape.
     *
     * @throws CheckpointFormatException if it is not {@code expected}
     */
    public void requireShape(Shape expected) throws CheckpointFormatException {
        if (!shape.equals(expected)) {
            throw CheckpointFormatException.mismatch(where(), expected, shape, SAME_MODEL);
        }
    }

    /**
     * Checks the stored element type.
     *
     * @throws CheckpointFormatException if it is not {@code expected}
     */
    public void requireType(ElementType expected) throws CheckpointFormatException {
        if (type != expected) {
            throw CheckpointFormatException.mismatch(where(), expected, type, OTHER_FORMAT);
        }
    }

    /**
     * Returns a view of the whole tensor as a matrix {@code [rows, columns]}, whatever the stored rank, so that
     * {@code [d, 1, k]} may be seen as {@code [d, k]}. The view is valid while the checkpoint is open.
     *
     * @throws CheckpointFormatException if the element type is not F32, F16 or BF16, or the number of elements differs
     */
    public FloatMatrix floatMatrix(int rows, int columns) throws CheckpointFormatException {
        requireFloat();
        if (shape.elements() != (long) rows * columns) {
            throw CheckpointFormatException.mismatch(where(), Shape.of(rows, columns), shape, SAME_MODEL);
        }
        return new FloatMatrix(rows, columns, type, bytes);
    }

    /** Returns the extent of the last dimension, 1 for a scalar. */
    public long columns() {
        return shape.rank() == 0 ? 1 : shape.dimension(shape.rank() - 1);
    }

    /**
     * Decodes {@code out.length - offset} or {@link #columns} elements, whichever is less, of row {@code row}, that is of
     * the run of {@code columns} elements from {@code row * columns} on, as float32 to {@code out[offset ..]}. Rows may be
     * read in any order and by several threads.
     *
     * @throws CheckpointFormatException if the element type has no float value, or an I2_S row holds a code without one
     * @throws IndexOutOfBoundsException if there is no such row
     */
    public void readRow(long row, float[] out, int offset) throws CheckpointFormatException {
        int count = (int) Math.min(columns(), out.length - offset);
        decode(row * columns(), count, out, offset);
    }

    /**
     * Returns the whole tensor as float32, row-major; meant for norms, scales and other small ones.
     *
     * @throws CheckpointFormatException if the element type has no float value, or there are more elements than an array
     *     holds
     */
    public float[] floats() throws CheckpointFormatException {
        long elements = shape.elements();
        if (elements > LARGEST_ARRAY) {
            throw CheckpointFormatException.mismatch(
                    where(), "at most " + LARGEST_ARRAY + " elements", shape, OTHER_FORMAT);
        }
        float[] values = new float[(int) elements];
        decode(0, values.length, values, 0);
        return values;
    }

    private void decode(long first, int count, float[] out, int offset) throws CheckpointFormatException {
        Objects.checkFromIndexSize(first, count, shape.elements());
        if (type.isBlock()) {
            new BlockDecoder(this).decode(first, count, out, offset);
            return;
        }
        requireFloat();
        MemorySegment run = bytes.asSlice(first * type.bytes(), (long) count * type.bytes());
        new FloatMatrix(1, count, type, run).readRow(0, out, offset);
    }

    private void requireFloat() throws CheckpointFormatException {
        if (!type.isFloatWeight()) {
            throw CheckpointFormatException.mismatch(where(), "F32, F16 or BF16", type, OTHER_FORMAT);
        }
    }
}
