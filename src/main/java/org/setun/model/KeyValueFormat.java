package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.setun.kernel.FloatKernel;
import org.setun.tensor.ElementType;

/**
 * How attention keeps the keys and values of past tokens. A page holds a head's keys as a block {@code [width, pageTokens]}, and its
 * values as a block {@code [pageTokens, width]}; behind either, where they are codes, is a factor for each token, {@code
 * [pageTokens]} F32. {@link org.setun.kernel.AttentionKernel} says why.
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

    /** Returns how elements are stored: in {@link #INT8} as codes that {@link #rescale} gives their size. */
    ElementType elementType() {
        return elementType;
    }

    /**
     * Stores the key of one token.
     *
     * @param page holds the block at byte {@code at}
     * @param tokens tokens of a page
     * @param token which of them
     * @param x the key, {@code width} values from {@code xOffset}
     * @param codes scratch for {@code width} codes
     */
    void storeKey(
            FloatKernel floating,
            float[] x,
            int xOffset,
            int width,
            MemorySegment page,
            long at,
            int tokens,
            int token,
            byte[] codes) {
        store(floating, x, xOffset, width, page, at, token, tokens, factorAt(at, tokens, width, token), codes);
    }

    /** Stores the value of one token; the parameters are those of {@link #storeKey}. */
    void storeValue(
            FloatKernel floating,
            float[] x,
            int xOffset,
            int width,
            MemorySegment page,
            long at,
            int tokens,
            int token,
            byte[] codes) {
        store(floating, x, xOffset, width, page, at, token * width, 1, factorAt(at, tokens, width, token), codes);
    }

    /** Stores {@code width} elements, {@code stride} apart, from element {@code first} of the block at byte {@code at}. */
    private void store(
            FloatKernel floating,
            float[] x,
            int xOffset,
            int width,
            MemorySegment page,
            long at,
            int first,
            int stride,
            long factorAt,
            byte[] codes) {
        long to = at + (long) first * elementType.bytes();
        long step = (long) stride * elementType.bytes();
        switch (this) {
            case F32 -> {
                for (int j = 0; j < width; j++) {
                    page.set(FLOAT, to + j * step, x[xOffset + j]);
                }
            }
            case F16 -> {
                for (int j = 0; j < width; j++) {
                    page.set(SHORT, to + j * step, Float.floatToFloat16(x[xOffset + j]));
                }
            }
            case INT8 -> {
                float scale = floating.quantize(x, xOffset, width, codes, 0);
                for (int j = 0; j < width; j++) {
                    page.set(ValueLayout.JAVA_BYTE, to + j * step, codes[j]);
                }
                page.set(FLOAT, factorAt, 1 / scale);
            }
        }
    }

    /**
     * Multiplies {@code count} numbers from {@code offset}, one for each token from the first on, by the tokens' factors in the block
     * at byte {@code at}.
     */
    void rescale(MemorySegment page, long at, int tokens, int width, int count, float[] numbers, int offset) {
        if (factorBytes > 0) {
            for (int token = 0; token < count; token++) {
                numbers[offset + token] *= page.get(FLOAT, factorAt(at, tokens, width, token));
            }
        }
    }

    private long factorAt(long at, int tokens, int width, int token) {
        return at + (long) tokens * width * elementType.bytes() + (long) token * factorBytes;
    }
}
