package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The trits of one ternary matrix, or of several that multiply the same input, column by column: a product can leave out
 * the columns whose inputs are zero without reading them. It stands beside {@link TernaryMatrix}, whose layout is read whole.
 *
 * <h2>Layout</h2>
 *
 * Two bits a weight, code {@code t + 1}. Rows form blocks of {@link #ROW_BLOCK} = 256. A column's part of a block is 32
 * little-endian 16-bit words, and bits {@code 2k, 2k + 1} of word {@code i} are the code of row {@code 32 k + i} of the block.
 * A column's parts follow one another, block after block, and columns follow one another:
 *
 * <pre>
 * byte offset of the word of (row, column) = ((column * blocks + row / 256) * 32 + row % 32) * 2
 * bits of (row, column) in that word       = 2 * (row % 256 / 32) and the next
 * </pre>
 *
 * So a column is one run of {@code 64 * blocks} bytes at a multiple of 64. A 512-bit vector of 16-bit lanes is a column's part
 * of a block, a 256-bit one half of it, a 128-bit one a quarter: one layout serves all widths, and the lanes of a vector are
 * neighbouring rows.
 *
 * <p>The rows of several matrices stand one below the other, each matrix from a block's first row on. Rows between a matrix's
 * last and the next block hold weight 0.
 *
 * <p>Immutable once built and safe for use by several threads; valid while the arena that it was built in is open.
 */
public final class TernaryColumns {

    /** Rows of a block. */
    public static final int ROW_BLOCK = 256;

    /** Words of a column's part of a block. */
    public static final int BLOCK_WORDS = 32;

    /** Rows that share a word: {@code ROW_BLOCK / BLOCK_WORDS}. */
    public static final int WORD_ROWS = 8;

    /** A word of eight zero weights: code 1 in every field. */
    private static final short ZERO_WORD = 0x5555;

    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final MemorySegment words;

    private TernaryColumns(int rows, int columns, MemorySegment words) {
        this.rows = rows;
        this.columns = columns;
        this.words = words.asReadOnly();
    }

    /** Returns the number of rows, up to the last matrix's last. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns: the inputs of a product. */
    public int columns() {
        return columns;
    }

    /** Returns the packed words, laid out as the class comment says; 64-byte aligned, read-only. */
    public MemorySegment words() {
        return words;
    }

    /** Returns the number of row blocks, the last one padded. */
    public int blocks() {
        return blocks(rows);
    }

    /** Returns the trit at ({@code row}, {@code column}): -1, 0 or 1. */
    public int trit(int row, int column) {
        short word = words.get(WORD, wordOffset(blocks(), row, column));
        return ((word >>> (2 * (row % ROW_BLOCK / BLOCK_WORDS))) & 3) - 1;
    }

    /** Returns the bytes that this many rows and columns take. */
    public static long packedBytes(int rows, int columns) {
        return (long) columns * blocks(rows) * BLOCK_WORDS * Short.BYTES;
    }

    /** Returns the byte offset of the word of ({@code row}, {@code column}) where columns have {@code blocks} row blocks. */
    public static long wordOffset(int blocks, int row, int column) {
        long part = (long) column * blocks + row / ROW_BLOCK;
        return (part * BLOCK_WORDS + row % BLOCK_WORDS) * Short.BYTES;
    }

    private static int blocks(int rows) {
        return Math.ceilDiv(rows, ROW_BLOCK);
    }

    /** Returns the columns of a single matrix; {@code arena} is the caller's, who keeps it open. */
    public static TernaryColumns of(TernaryMatrix matrix, Arena arena) {
        Builder builder = new Builder(matrix.rows(), matrix.columns(), arena);
        builder.setRows(0, matrix, 0, matrix.rows());
        return builder.build();
    }

    /**
     * Turns matrices around, block by block. Blocks may come in any order and from several threads; each must be set by one
     * thread, and all of them happen-before {@link #build}. A block never set is zero.
     */
    public static final class Builder {
        private final int rows;
        private final int columns;
        private final int blocks;
        private final MemorySegment words;

        /**
         * Allocates the packed columns in {@code arena}, which the caller owns and keeps open for their lifetime.
         *
         * @param rows the rows of all matrices, each but the last rounded up to a multiple of {@link #ROW_BLOCK}
         * @param columns the columns of each of them
         * @throws IllegalArgumentException if a size is less than 1
         */
        public Builder(int rows, int columns, Arena arena) {
            if (rows < 1 || columns < 1) {
                throw new IllegalArgumentException("empty ternary columns [" + rows + ", " + columns + "]");
            }
            this.rows = rows;
            this.columns = columns;
            this.blocks = blocks(rows);
            this.words = arena.allocate(packedBytes(rows, columns), ALIGNMENT);
            words.fill((byte) ZERO_WORD);
        }

        /**
         * Sets rows {@code [from, to)} of a matrix that stands from row {@code firstRow} on.
         *
         * @param firstRow a multiple of {@link #ROW_BLOCK}
         * @param from a multiple of {@link #ROW_BLOCK}
         * @param to a multiple of {@link #ROW_BLOCK}, or the matrix's number of rows
         * @throws IllegalArgumentException if the matrix has other columns than these, or does not fit
         */
        public Builder setRows(int firstRow, TernaryMatrix matrix, int from, int to) {
            if (matrix.columns() != columns) {
                throw new IllegalArgumentException(
                        "expected a matrix of " + columns + " columns, found " + matrix.columns());
            }
            boolean whole = to % ROW_BLOCK == 0 || to == matrix.rows();
            if (firstRow % ROW_BLOCK != 0 || from % ROW_BLOCK != 0 || !whole || firstRow + to > rows) {
                throw new IllegalArgumentException("expected blocks of " + ROW_BLOCK + " rows within " + rows
                        + ", found rows " + from + " to " + to + " from row " + firstRow + " on");
            }
            for (int row = from; row < to; row += ROW_BLOCK) {
                setBlock((firstRow + row) / ROW_BLOCK, matrix, row);
            }
            return this;
        }

        /** Sets one block to the matrix's rows from {@code row} on. */
        private void setBlock(int block, TernaryMatrix matrix, int row) {
            byte[][] trits = new byte[WORD_ROWS][columns];
            for (int i = 0; i < BLOCK_WORDS; i++) {
                for (int k = 0; k < WORD_ROWS; k++) {
                    int source = row + k * BLOCK_WORDS + i;
                    if (source < matrix.rows()) {
                        matrix.readRow(source, trits[k], 0);
                    } else {
                        Arrays.fill(trits[k], (byte) 0);
                    }
                }
                for (int column = 0; column < columns; column++) {
                    int word = ZERO_WORD;
                    for (int k = 0; k < WORD_ROWS; k++) {
                        word += trits[k][column] << (2 * k);
                    }
                    words.set(WORD, wordOffset(blocks, block * ROW_BLOCK + i, column), (short) word);
                }
            }
        }

        /** Returns the columns; the builder must not be used afterwards. */
        public TernaryColumns build() {
            return new TernaryColumns(rows, columns, words);
        }
    }
}
