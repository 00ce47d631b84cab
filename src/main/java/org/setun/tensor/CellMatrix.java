package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.LongAdder;

/**
 * A ternary matrix whose rows are the lanes of vectors of any width, packed at two bits a weight.
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
 */
public final class CellMatrix implements TernaryMatrix {

    /** Rows that share a cell. */
    public static final int ROW_BLOCK = 32;

    /** Columns that share a 16-bit word. */
    public static final int COLUMN_GROUP = 8;

    /** A word of eight zero weights: code 1 in every field. */
    private static final short ZERO_WORD = 0x5555;

    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long CELL_BYTES = (long) ROW_BLOCK * Short.BYTES;
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final float scale;
    private final MemorySegment words;
    private final long zeros;
    private final long negatives;

    private CellMatrix(int rows, int columns, float scale, MemorySegment words, long zeros, long negatives) {
        this.rows = rows;
        this.columns = columns;
        this.scale = scale;
        this.words = words.asReadOnly();
        this.zeros = zeros;
        this.negatives = negatives;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
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

    @Override
    public long zeros() {
        return zeros;
    }

    @Override
    public long negatives() {
        return negatives;
    }

    @Override
    public int trit(int row, int column) {
        short word = words.get(WORD, wordOffset(groups(), row, column));
        return ((word >>> (2 * (column % COLUMN_GROUP))) & 3) - 1;
    }

    @Override
    public long byteSize() {
        return words.byteSize();
    }

    @Override
    public int rowBlock() {
        return ROW_BLOCK;
    }

    @Override
    public void readRow(int row, byte[] trits, int offset) {
        int groups = groups();
        for (int column = 0; column < columns; column += COLUMN_GROUP) {
            int word = words.get(WORD, wordOffset(groups, row, column));
            int count = Math.min(COLUMN_GROUP, columns - column);
            for (int k = 0; k < count; k++) {
                trits[offset + column + k] = (byte) (((word >>> (2 * k)) & 3) - 1);
            }
        }
    }

    /** Returns the bytes that a packed matrix of this size takes. */
    static long packedBytes(int rows, int columns) {
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

    /** Packs a matrix. */
    static final class Builder implements TernaryMatrix.Builder {
        private final int rows;
        private final int columns;
        private final int groups;
        private final MemorySegment words;
        private final LongAdder nonZeros = new LongAdder();
        private final LongAdder negatives = new LongAdder();

        Builder(int rows, int columns, Arena arena) {
            TernaryMatrix.requireNotEmpty(rows, columns);
            this.rows = rows;
            this.columns = columns;
            this.groups = groups(columns);
            this.words = arena.allocate(packedBytes(rows, columns), ALIGNMENT);
            words.fill((byte) ZERO_WORD);
        }

        @Override
        public Builder setRow(int row, byte[] trits, int offset) {
            byte[] padded = new byte[columns + TritWords.TRITS];
            System.arraycopy(trits, offset, padded, 0, columns);
            setBlock(row, 1, padded, 0, 0);
            return this;
        }

        @Override
        public Builder setRows(int firstRow, int count, byte[] trits, int offset, int stride) {
            boolean padded = trits.length >= offset + (count - 1) * stride + columns + TritWords.TRITS;
            if (firstRow % ROW_BLOCK == 0 && padded) {
                for (int done = 0; done < count; done += ROW_BLOCK) {
                    int rowsLeft = Math.min(ROW_BLOCK, count - done);
                    setBlock(firstRow + done, rowsLeft, trits, offset + done * stride, stride);
                }
            } else {
                TernaryMatrix.Builder.super.setRows(firstRow, count, trits, offset, stride);
            }
            return this;
        }

        /** Sets neighbouring rows of a block group by group: the words of a group lie together. */
        private void setBlock(int firstRow, int count, byte[] trits, int offset, int stride) {
            short[] line = new short[ROW_BLOCK];
            TritWords.Counts counts = new TritWords.Counts();
            long at = wordOffset(groups, firstRow, 0);
            for (int group = 0; group < groups; group++) {
                int columnsOf = Math.min(COLUMN_GROUP, columns - group * COLUMN_GROUP);
                int first = offset + group * COLUMN_GROUP;
                for (int i = 0; i < count; i++) {
                    long codes = TritWords.codes(trits, first + i * stride, columnsOf);
                    counts.add(codes);
                    line[i] = TritWords.packed(codes);
                }
                MemorySegment.copy(line, 0, words, WORD, at, count);
                at += CELL_BYTES;
            }
            if (counts.anyInvalid()) {
                for (int i = 0; i < count; i++) {
                    TernaryMatrix.requireTrits(trits, offset + i * stride, firstRow + i, columns);
                }
            }
            nonZeros.add(counts.nonZeros());
            negatives.add(counts.negatives());
        }

        @Override
        public CellMatrix build(float scale) {
            long zeros = (long) rows * columns - nonZeros.sum();
            return new CellMatrix(rows, columns, scale, words, zeros, negatives.sum());
        }
    }
}
