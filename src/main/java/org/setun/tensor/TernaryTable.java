package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * A table of ternary rows {@code [rows, columns]} with a scale for each: weight {@code (r, c)} is {@code scale(r) * t} with
 * {@code t} in {-1, 0, 1}. For tables of which a computation touches a few rows here and there: a row lies in one piece.
 *
 * <h2>Layout</h2>
 *
 * Two bits a weight, code {@code t + 1}. Rows lie one after the other, each padded to whole blocks of {@link #BLOCK_COLUMNS} =
 * 256 columns. A block is 64 bytes, one cache line: 16 little-endian 32-bit words, bits {@code 2k, 2k + 1} of word {@code i}
 * being the code of the block's column {@code 16k + i}:
 *
 * <pre>
 * byte offset of the word of (row, column) = (row * blocks + column / 256) * 64 + column % 16 * 4
 * lowest bit of its code within the word   = column % 256 / 16 * 2
 * </pre>
 *
 * So field {@code k} of a 512-bit vector of words is 16 adjacent columns, of a 256-bit one 8 and of a 128-bit one 4: one layout
 * serves all widths, a right shift by two leads from one run of columns to the next, and a vector of floats meets its
 * codes lane by lane. Columns beyond the table hold weight 0.
 *
 * <p>Immutable once built and safe for use by several threads; valid while the arena that it was built in is open.
 */
public final class TernaryTable {

    /** Columns of a block. */
    public static final int BLOCK_COLUMNS = 256;

    /** Bytes of a block. */
    public static final int BLOCK_BYTES = 64;

    /** Words of a block, which is also how many columns lie between two fields of a word. */
    public static final int BLOCK_WORDS = 16;

    /** A word of sixteen zero weights: code 1 in every field. */
    private static final int ZERO_WORD = 0x55555555;

    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat SCALE = ValueLayout.JAVA_FLOAT;

    private final int rows;
    private final int columns;
    private final MemorySegment words;
    private final MemorySegment scales;
    private final long zeros;
    private final long negatives;

    private TernaryTable(int rows, int columns, MemorySegment words, MemorySegment scales, long zeros, long negatives) {
        this.rows = rows;
        this.columns = columns;
        this.words = words.asReadOnly();
        this.scales = scales.asReadOnly();
        this.zeros = zeros;
        this.negatives = negatives;
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Returns the number of blocks of a row, the last one padded. */
    public int blocks() {
        return blocks(columns);
    }

    /** Returns the packed words, laid out as the class comment says; 64-byte aligned, read-only. */
    public MemorySegment words() {
        return words;
    }

    /** Returns where row {@code row} begins in {@link #words}, in bytes. */
    public long rowOffset(int row) {
        return (long) row * blocks() * BLOCK_BYTES;
    }

    /** Returns the factor of the trits of row {@code row}. */
    public float scale(int row) {
        return scales.getAtIndex(SCALE, row);
    }

    /** Returns how many of the {@code rows * columns} weights are zero. */
    public long zeros() {
        return zeros;
    }

    /** Returns how many of the {@code rows * columns} weights are negative. */
    public long negatives() {
        return negatives;
    }

    /** Returns the trit at ({@code row}, {@code column}): -1, 0 or 1. */
    public int trit(int row, int column) {
        Objects.checkIndex(column, columns);
        int word = words.get(WORD, rowOffset(row) + wordOffset(column));
        return ((word >>> shift(column)) & 3) - 1;
    }

    private static long wordOffset(int column) {
        return (long) (column / BLOCK_COLUMNS) * BLOCK_BYTES + (long) (column % BLOCK_WORDS) * Integer.BYTES;
    }

    private static int shift(int column) {
        return column % BLOCK_COLUMNS / BLOCK_WORDS * 2;
    }

    private static int blocks(int columns) {
        return Math.ceilDiv(columns, BLOCK_COLUMNS);
    }

    /** Returns the bytes that a table of this size takes, its scales included. */
    public static long packedBytes(int rows, int columns) {
        return (long) rows * blocks(columns) * BLOCK_BYTES + (long) rows * Float.BYTES;
    }

    /**
     * Packs a table row by row. Rows may come in any order and from several threads; each row must be set by one thread,
     * and all of them happen-before {@link #build}. A row never set is zero.
     */
    public static final class Builder {
        private final int rows;
        private final int columns;
        private final int blocks;
        private final MemorySegment words;
        private final MemorySegment scales;
        private final LongAdder nonZeros = new LongAdder();
        private final LongAdder negatives = new LongAdder();

        /**
         * Allocates the packed table in {@code arena}, which the caller owns and keeps open for the table's lifetime.
         *
         * @throws IllegalArgumentException if a size is less than 1
         */
        public Builder(int rows, int columns, Arena arena) {
            if (rows < 1 || columns < 1) {
                throw new IllegalArgumentException("empty ternary table [" + rows + ", " + columns + "]");
            }
            this.rows = rows;
            this.columns = columns;
            this.blocks = blocks(columns);
            this.words = arena.allocate((long) rows * blocks * BLOCK_BYTES, BLOCK_BYTES);
            this.scales = arena.allocate((long) rows * Float.BYTES, BLOCK_BYTES);
            words.fill((byte) ZERO_WORD);
        }

        /**
         * Sets row {@code row} to {@code trits[offset .. offset + columns)}, each -1, 0 or 1, times {@code scale}.
         *
         * @throws IllegalArgumentException if a value is no trit
         */
        public Builder setRow(int row, byte[] trits, int offset, float scale) {
            Objects.checkIndex(row, rows);
            int[] packed = new int[blocks * BLOCK_WORDS];
            long nonZero = 0;
            long sum = 0;
            for (int first = 0; first < columns; first += BLOCK_WORDS) {
                int word = first / BLOCK_COLUMNS * BLOCK_WORDS;
                int shift = shift(first);
                int count = Math.min(BLOCK_WORDS, columns - first);
                for (int i = 0; i < count; i++) {
                    int trit = trits[offset + first + i];
                    if (trit < -1 || trit > 1) {
                        throw new IllegalArgumentException(
                                "row " + row + ", column " + (first + i) + ": " + trit + " is no trit");
                    }
                    nonZero += trit & 1;
                    sum += trit;
                    packed[word + i] += trit << shift;
                }
            }
            long at = (long) row * blocks * BLOCK_BYTES;
            for (int i = 0; i < packed.length; i++) {
                words.set(WORD, at + (long) i * Integer.BYTES, ZERO_WORD + packed[i]);
            }
            scales.setAtIndex(SCALE, row, scale);
            nonZeros.add(nonZero);
            negatives.add((nonZero - sum) / 2);
            return this;
        }

        /** Returns the table; the builder must not be used afterwards. */
        public TernaryTable build() {
            long zeros = (long) rows * columns - nonZeros.sum();
            return new TernaryTable(rows, columns, words, scales, zeros, negatives.sum());
        }
    }
}
