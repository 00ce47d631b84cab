package org.setun.kernel;

import java.util.Arrays;

/**
 * The int8 input of ternary products: for each of up to {@code capacity} tokens, codes in [-127, 127] and the scale
 * {@code s} with {@code x ~ code / s}. Rows are padded with zero codes to a multiple of {@link #PADDING} columns, so that
 * kernels may read whole vectors.
 *
 * <p>A mutable buffer: allocated once, filled again for every product, written by the threads that own its rows and then
 * read by all.
 */
public final class QuantizedActivations {

    /** Row strides are multiples of this many columns. */
    public static final int PADDING = 64;

    private final int capacity;
    private final int maxColumns;
    private final byte[] codes;
    private final float[] scales;
    private final int firstColumn;
    private int columns;
    private int stride;

    /** Allocates space for {@code capacity} tokens of up to {@code maxColumns} codes. */
    public QuantizedActivations(int capacity, int maxColumns) {
        this.capacity = capacity;
        this.maxColumns = maxColumns;
        this.codes = new byte[Math.multiplyExact(capacity, padded(maxColumns))];
        this.scales = new float[capacity];
        this.firstColumn = 0;
    }

    private QuantizedActivations(QuantizedActivations whole, int firstColumn, int columns) {
        this.capacity = whole.capacity;
        this.maxColumns = columns;
        this.codes = whole.codes;
        this.scales = whole.scales;
        this.firstColumn = whole.firstColumn + firstColumn;
        this.columns = columns;
        this.stride = whole.stride;
    }

    /**
     * Returns a view of columns {@code [first, first + count)}, valid until the next {@link #reshape}.
     *
     * @param first a multiple of {@link #PADDING}
     * @param count a multiple of {@link #PADDING}, so that a view needs no padding of its own
     * @throws IllegalArgumentException if they are not, or there are not so many columns
     */
    public QuantizedActivations columns(int first, int count) {
        if (first < 0 || count < 1 || first % PADDING != 0 || count % PADDING != 0 || count > columns - first) {
            throw new IllegalArgumentException("expected columns within " + columns + " at multiples of " + PADDING
                    + ", found " + count + " from " + first);
        }
        return new QuantizedActivations(this, first, count);
    }

    private static int padded(int columns) {
        return (columns + PADDING - 1) / PADDING * PADDING;
    }

    /**
     * Gives every row {@code columns} columns and zeroes its padding; codes are unspecified until written.
     *
     * @throws IllegalArgumentException if that is more than the buffer was made for
     */
    public void reshape(int columns) {
        if (columns > maxColumns) {
            throw new IllegalArgumentException("expected at most " + maxColumns + " columns, found " + columns);
        }
        this.columns = columns;
        this.stride = padded(columns);
        for (int token = 0; token < capacity; token++) {
            Arrays.fill(codes, token * stride + columns, (token + 1) * stride, (byte) 0);
        }
    }

    /** Returns the largest number of tokens. */
    public int capacity() {
        return capacity;
    }

    /** Returns the number of columns of a row, padding not counted. */
    public int columns() {
        return columns;
    }

    /** Checks that rows have {@code expected} columns, the weights' number. */
    void requireColumns(int expected) {
        if (columns != expected) {
            throw new IllegalArgumentException(
                    "expected activations of " + expected + " columns, as the weights have, found " + columns);
        }
    }

    /** Returns all codes; row {@code t} starts at {@link #rowOffset}. */
    public byte[] codes() {
        return codes;
    }

    /** Returns where row {@code token} starts in {@link #codes}. */
    public int rowOffset(int token) {
        return token * stride + firstColumn;
    }

    /** Returns the scales, one a token. */
    public float[] scales() {
        return scales;
    }
}
