package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/**
 * A packed ternary matrix {@code [rows, columns]}: every weight is {@code scale * t} with {@code t} in {-1, 0, 1}.
 *
 * <h2>Layout</h2>
 *
 * Two bits a weight, code {@code t + 1}. Rows form blocks of {@link #ROW_BLOCK} = 32, columns form groups of
 * {@link #COLUMN_GROUP} = 8. A cell (block, group) is 32 little-endian 16-bit words, one for each row of the block; bits
 * {@code 2k, 2k + 1} of a word are the code of the group's column {@code k}. Cells are stored group after group within a
 * block, blocks one after the other:
 *
 * <pre>
 * byte offset of the word of (row, column) = (((row / 32) * groups + column / 8) * 32 + row % 32) * 2
 * </pre>
 *
 * So a 512-bit vector of 16-bit lanes is one cell, a 256-bit one half a cell, a 128-bit one a quarter: one layout serves all
 * widths, a vector lane is a row, no horizontal sum is needed, and a thread that owns a run of row blocks reads memory
 * strictly in order. Rows and columns beyond the matrix, up to the next multiple of 32 and 8, hold weight 0.
 *
 * <p>Immutable once built and safe for use by several threads; valid while the arena that it was built in is open.
 */
public final class TernaryMatrix {

    /** Rows that share a cell. */
    public static final int ROW_BLOCK = 32;

    /** Columns that share a 16-bit word. */
    public static final int COLUMN_GROUP = 8;

    /** A word of eight zero weights: code 1 in every field. */
    private static final short ZERO_WORD = 0x5555;

    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final float scale;
    private final MemorySegment words;
    private final long zeros;

    private TernaryMatrix(int rows, int columns, float scale, MemorySegment words, long zeros) {
        this.rows = rows;
        this.columns = columns;
        this.scale = scale;
        this.words = words.asReadOnly();
        this.zeros = zeros;
    }

    /** Returns the number of rows: the outputs of a product. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns: the inputs of a product. */
    public int columns() {
        return columns;
    }

    /** Returns the factor of every trit. */
    public float scale() {
        return scale;
    }

    /** Returns the packed words, laid out as the class comment says; 64-byte aligned, read-only. */
    public MemorySegment words() {
        return words;
    }

    /** Returns the number of column groups, the last one padded. */
    public int groups() {
        return groups(columns);
    }

    /** Returns how many of the {@code rows * columns} weights are zero. */
    public long zeros() {
        return zeros;
    }

    /** Returns the trit at ({@code row}, {@code column}): -1, 0 or 1. */
    public int trit(int row, int column) {
        short word = words.get(WORD, wordOffset(groups(), row, column));
        return ((word >>> (2 * (column % COLUMN_GROUP))) & 3) - 1;
    }

    /** Returns the bytes that a packed matrix of this size takes. */
    public static long packedBytes(int rows, int columns) {
        long blocks = Math.ceilDiv(rows, ROW_BLOCK);
        return blocks * groups(columns) * ROW_BLOCK * Short.BYTES;
    }

    private static int groups(int columns) {
        return Math.ceilDiv(columns, COLUMN_GROUP);
    }

    /** Returns the byte offset of the word of ({@code row}, {@code column}) in a matrix of {@code groups} column groups. */
    public static long wordOffset(int groups, int row, int column) {
        long cell = (long) (row / ROW_BLOCK) * groups + column / COLUMN_GROUP;
        return (cell * ROW_BLOCK + row % ROW_BLOCK) * Short.BYTES;
    }

    /**
     * Packs a matrix row by row. Rows may come in any order and from several threads; each row must be set by one
     * thread, and all of them happen-before {@link #build}. A row never set is zero.
     */
    public static final class Builder {
        private final int rows;
        private final int columns;
        private final int groups;
        private final MemorySegment words;
        private final LongAdder nonZeros = new LongAdder();

        /**
         * Allocates the packed matrix in {@code arena}, which the caller owns and keeps open for the matrix's lifetime.
         *
         * @throws IllegalArgumentException if a size is less than 1
         */
        public Builder(int rows, int columns, Arena arena) {
            if (rows < 1 || columns < 1) {
                throw new IllegalArgumentException("empty ternary matrix [" + rows + ", " + columns + "]");
            }
            this.rows = rows;
            this.columns = columns;
            this.groups = groups(columns);
            this.words = arena.allocate(packedBytes(rows, columns), ALIGNMENT);
            words.fill((byte) ZERO_WORD);
        }

        /**
         * Sets row {@code row} to {@code trits[offset .. offset + columns)}, each -1, 0 or 1.
         *
         * @throws IllegalArgumentException if a value is no trit
         */
        public Builder setRow(int row, byte[] trits, int offset) {
            long nonZero = 0;
            long at = wordOffset(groups, row, 0);
            for (int group = 0; group < groups; group++) {
                int first = group * COLUMN_GROUP;
                int count = Math.min(COLUMN_GROUP, columns - first);
                int word = ZERO_WORD;
                for (int k = 0; k < count; k++) {
                    int trit = trits[offset + first + k];
                    if (trit < -1 || trit > 1) {
                        throw new IllegalArgumentException(
                                "row " + row + ", column " + (first + k) + ": " + trit + " is no trit");
                    }
                    nonZero += trit & 1;
                    word += trit << (2 * k);
                }
                words.set(WORD, at, (short) word);
                at += (long) ROW_BLOCK * Short.BYTES;
            }
            nonZeros.add(nonZero);
            return this;
        }

        /** Returns the matrix; the builder must not be used afterwards. */
        public TernaryMatrix build(float scale) {
            long zeros = (long) rows * columns - nonZeros.sum();
            return new TernaryMatrix(rows, columns, scale, words, zeros);
        }
    }

    /** Returns a matrix of the given trits {@code [rows][columns]}, for tests and small tables. */
    public static TernaryMatrix of(byte[][] trits, float scale, Arena arena) {
        Builder builder = new Builder(trits.length, trits[0].length, arena);
        for (int row = 0; row < trits.length; row++) {
            builder.setRow(row, Arrays.copyOf(trits[row], trits[0].length), 0);
        }
        return builder.build(scale);
    }
}
