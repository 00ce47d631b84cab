package org.setun.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The int8 input of ternary products: for each of up to {@code capacity} tokens, codes in [-127, 127] and the scale
 * {@code s} with {@code x ~ code / s}. Rows are padded with zero codes to a multiple of {@link #PADDING} columns, so that
 * kernels may read whole vectors; the last row is followed by as many bytes more.
 *
 * <p>Codes may be made sparse after quantising ({@link #keepLargest}, {@link #keepLargestOfEach}); the scale stays, as the
 * largest code does. {@link #countNonZeros} and {@link #listNonZeros} then say which columns a product has to read.
 *
 * <p>A mutable buffer: allocated once, filled again for every product, written by the threads that own its rows and then
 * read by all.
 */
public final class QuantizedActivations {

    /** Row strides are multiples of this many columns. */
    public static final int PADDING = 64;

    private static final VarHandle EIGHT_CODES =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long LOW_BITS = 0x7f7f7f7f7f7f7f7fL;

    private final int capacity;
    private final int maxColumns;
    private final byte[] codes;
    private final float[] scales;
    private final int[] nonZeros;
    private final int[] nonZeroColumns;
    private final int[] magnitudes;
    private final byte[] used;
    private final int firstColumn;
    private int columns;
    private int stride;

    /** Allocates space for {@code capacity} tokens of up to {@code maxColumns} codes. */
    public QuantizedActivations(int capacity, int maxColumns) {
        this.capacity = capacity;
        this.maxColumns = maxColumns;
        this.codes = new byte[Math.addExact(Math.multiplyExact(capacity, padded(maxColumns)), PADDING)];
        this.scales = new float[capacity];
        this.nonZeros = new int[capacity];
        this.nonZeroColumns = new int[codes.length];
        this.magnitudes = new int[Math.multiplyExact(capacity, CodeSelection.MAGNITUDES)];
        this.used = new byte[padded(maxColumns)];
        this.firstColumn = 0;
    }

    private QuantizedActivations(QuantizedActivations whole, int firstColumn, int columns) {
        this.capacity = whole.capacity;
        this.maxColumns = columns;
        this.codes = whole.codes;
        this.scales = whole.scales;
        this.nonZeros = whole.nonZeros;
        this.nonZeroColumns = whole.nonZeroColumns;
        this.magnitudes = whole.magnitudes;
        this.used = whole.used;
        this.firstColumn = whole.firstColumn + firstColumn;
        this.columns = columns;
        this.stride = whole.stride;
    }

    /**
     * Returns a view of the codes of columns {@code [first, first + count)}, valid until the next {@link #reshape}. Selecting,
     * counting and listing are for the whole.
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

    /**
     * Keeps the {@code keep} codes of token {@code token} that are largest in magnitude and zeroes the others; of equal ones
     * the lower columns are kept. Threads may do this for different tokens.
     *
     * @param keep at least 1; with the number of columns or more nothing changes
     */
    public void keepLargest(int token, int keep) {
        if (keep < 1) {
            throw new IllegalArgumentException("expected to keep 1 code or more, found " + keep);
        }
        CodeSelection.keepLargest(codes, rowOffset(token), columns, keep, magnitudes, token * CodeSelection.MAGNITUDES);
    }

    /**
     * Keeps, of every {@code m} consecutive codes of token {@code token}, the {@code n} that are largest in magnitude and
     * zeroes the others; of equal ones the lower columns are kept. Threads may do this for different tokens.
     *
     * @throws IllegalArgumentException if {@code n} is not from 1 to {@code m}, or the columns are no multiple of {@code m}
     */
    public void keepLargestOfEach(int token, int n, int m) {
        if (n < 1 || n > m || columns % m != 0) {
            throw new IllegalArgumentException("expected to keep 1 to " + m + " codes of " + m + " in a multiple of "
                    + m + " columns, found " + n + " and " + columns + " columns");
        }
        if (n < m) {
            CodeSelection.keepLargestOfEach(
                    codes, rowOffset(token), columns, n, m, magnitudes, token * CodeSelection.MAGNITUDES);
        }
    }

    /** Counts the codes of token {@code token} that are not zero. Threads may do this for different tokens. */
    public void countNonZeros(int token) {
        nonZeros[token] = nonZeros(codes, rowOffset(token), padded(columns));
    }

    private static int nonZeros(byte[] codes, int from, int size) {
        int count = 0;
        // Eight codes at once: the top bit of a byte ends up set if any of its bits was. The padding is zero.
        for (int i = from; i < from + size; i += Long.BYTES) {
            long eight = (long) EIGHT_CODES.get(codes, i);
            count += Long.bitCount((((eight & LOW_BITS) + LOW_BITS) | eight) & ~LOW_BITS);
        }
        return count;
    }

    /**
     * Returns in how many columns one of the first {@code tokens} tokens or more, at least one, whose codes have been counted, have
     * a code that is not zero. For one thread at a time.
     */
    public int usedColumns(int tokens) {
        if (tokens == 1) {
            return nonZeros[0];
        }
        int size = padded(columns);
        System.arraycopy(codes, rowOffset(0), used, 0, size);
        for (int token = 1; token < tokens; token++) {
            int from = rowOffset(token);
            for (int i = 0; i < size; i++) {
                used[i] |= codes[from + i];
            }
        }
        return nonZeros(used, 0, size);
    }

    /** Returns what {@link #countNonZeros} found. */
    public int nonZeros(int token) {
        return nonZeros[token];
    }

    /**
     * Lists the columns of token {@code token} whose codes are not zero, which have been counted. Threads may do this for
     * different tokens.
     */
    public void listNonZeros(int token) {
        int from = rowOffset(token);
        int next = from;
        // Every column is written and stays only if its code is not zero: no branch to predict.
        for (int column = 0; column < columns; column++) {
            nonZeroColumns[next] = column;
            int code = codes[from + column];
            next += (code | -code) >>> 31;
        }
    }

    /**
     * Returns the columns that {@link #listNonZeros} found, ascending; those of token {@code t} start at {@link #rowOffset} and
     * are {@link #nonZeros} many.
     */
    public int[] nonZeroColumns() {
        return nonZeroColumns;
    }
}
