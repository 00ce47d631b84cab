package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.setun.kernel.FloatKernel;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;

/**
 * How attention keeps the keys and values of past tokens. A page holds a head's keys, or its values, as a block: a row for each
 * token, {@code [pageTokens, width]}, and behind the rows, where they are codes, a factor for each, {@code [pageTokens]} F32.
 */
public enum KeyValueFormat {
    /** As they were computed. */
    F32(ElementType.F32, 0),
    /** Rounded to half precision: half the memory, and half of what a token reads. */
    F16(ElementType.F16, 0),
    /** As int8 codes with a factor for each token and head, its largest magnitude by 127: a quarter of the memory. */
    INT8(ElementType.I8, Float.BYTES);

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ElementType elementType;
    private final int factorBytes;

    KeyValueFormat(ElementType elementType, int factorBytes) {
        this.elementType = elementType;
        this.factorBytes = factorBytes;
    }

    /** Returns the size of a block of {@code tokens} rows of {@code width} values. */
    long blockBytes(int tokens, int width) {
        return tokens * rowBytes(width);
    }

    /** Returns the size of a token's keys and values, of {@code heads} heads of {@code width} values each. */
    public long tokenBytes(int heads, int width) {
        return 2L * heads * rowBytes(width);
    }

    private long rowBytes(int width) {
        return (long) width * elementType.bytes() + factorBytes;
    }

    /** Returns the rows of a block as stored: in {@link #INT8} codes that {@link #rescale} gives their size. */
    FloatMatrix rows(MemorySegment block, int tokens, int width) {
        long bytes = (long) tokens * width * elementType.bytes();
        return new FloatMatrix(tokens, width, elementType, block.asSlice(0, bytes));
    }

    /**
     * Stores one row of a block.
     *
     * @param row which of {@code tokens} rows
     * @param x the values, {@code width} of them from {@code xOffset}
     * @param codes scratch for {@code width} codes
     */
    void store(
            FloatKernel floating,
            float[] x,
            int xOffset,
            int width,
            MemorySegment block,
            int tokens,
            int row,
            byte[] codes) {
        long at = (long) row * width * elementType.bytes();
        switch (this) {
            case F32 -> MemorySegment.copy(x, xOffset, block, FLOAT, at, width);
            case F16 -> {
                for (int j = 0; j < width; j++) {
                    block.set(SHORT, at + (long) j * Short.BYTES, Float.floatToFloat16(x[xOffset + j]));
                }
            }
            case INT8 -> {
                float scale = floating.quantize(x, xOffset, width, codes, 0);
                MemorySegment.copy(codes, 0, block, ValueLayout.JAVA_BYTE, at, width);
                block.set(FLOAT, factorAt(tokens, width, row), 1 / scale);
            }
        }
    }

    /** Multiplies {@code count} numbers from {@code offset}, one for each row from the first on, by the rows' factors. */
    void rescale(MemorySegment block, int tokens, int width, int count, float[] numbers, int offset) {
        if (factorBytes > 0) {
            for (int row = 0; row < count; row++) {
                numbers[offset + row] *= block.get(FLOAT, factorAt(tokens, width, row));
            }
        }
    }

    private long factorAt(int tokens, int width, int row) {
        return (long) tokens * width * elementType.bytes() + (long) row * factorBytes;
    }
}
