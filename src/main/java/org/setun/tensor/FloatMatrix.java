package org.setun.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A read-only view of a row-major float matrix {@code [rows, columns]} stored as F32, F16, BF16, or as whole numbers in I8, in little-endian
 * order and at any alignment. The view does not own its memory: it is valid while the segment's arena is open.
 * Safe for use by several threads.
 */
public final class FloatMatrix {

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int rows;
    private final int columns;
    private final ElementType elementType;
    private final MemorySegment segment;

    /**
     * Creates a view of {@code segment}.
     *
     * @throws IllegalArgumentException if the element type is another, or the segment's size is not that
     *     of the matrix
     */
    public FloatMatrix(int rows, int columns, ElementType elementType, MemorySegment segment) {
        if (!elementType.isFloatWeight() && elementType != ElementType.I8) {
            throw new IllegalArgumentException("a float matrix cannot be stored as " + elementType);
        }
        long expected = (long) rows * columns * elementType.bytes();
        if (segment.byteSize() != expected) {
            throw new IllegalArgumentException("expected " + expected + " bytes for [" + rows + ", " + columns + "] "
                    + elementType + ", found " + segment.byteSize());
        }
        this.rows = rows;
        this.columns = columns;
        this.elementType = elementType;
        this.segment = segment.asReadOnly();
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Returns how the values are stored. */
    public ElementType elementType() {
        return elementType;
    }

    /** Returns the stored values, row-major, read-only. */
    public MemorySegment segment() {
        return segment;
    }

    /** Copies row {@code row} as float32 to {@code out[offset .. offset + columns)}. */
    public void readRow(int row, float[] out, int offset) {
        readRow(row, 0, columns, out, offset);
    }

    /** Copies columns {@code [from, to)} of row {@code row} as float32 to {@code out[offset .. offset + to - from)}. */
    public void readRow(int row, int from, int to, float[] out, int offset) {
        Objects.checkFromToIndex(from, to, columns);
        int length = to - from;
        long start = ((long) row * columns + from) * elementType.bytes();
        switch (elementType) {
            case F32 -> MemorySegment.copy(segment, FLOAT, start, out, offset, length);
            case F16 -> {
                for (int c = 0; c < length; c++) {
                    out[offset + c] = Float.float16ToFloat(segment.get(SHORT, start + 2L * c));
                }
            }
            case BF16 -> {
                for (int c = 0; c < length; c++) {
                    out[offset + c] = Float.intBitsToFloat(segment.get(SHORT, start + 2L * c) << 16);
                }
            }
            case I8 -> {
                for (int c = 0; c < length; c++) {
                    out[offset + c] = segment.get(ValueLayout.JAVA_BYTE, start + c);
                }
            }
            default -> throw new IllegalStateException("unreachable: " + elementType);
        }
    }
}
