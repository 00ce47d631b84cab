package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.LongAdder;

/**
 * A ternary matrix at 1.6 bits a weight, for kernels that look up what five weights make of five inputs: a table has an entry
 * for each magnitude of the code, and the sign is applied to what is found.
 *
 * <h2>Layout</h2>
 *
 * Five columns form a group. Its five trits {@code t_0 .. t_4} in a row are one balanced base-3 number {@code v}, stored as a
 * byte with the sign in the top bit:
 *
 * <pre>
 * v = t_0 + 3 t_1 + 9 t_2 + 27 t_3 + 81 t_4      in [-121, 121]
 * byte = |v| + (v &lt; 0 ? 128 : 0)
 * </pre>
 *
 * Sixty-four rows form a vector: 64 bytes a group, byte {@code 2i} for its row {@code i} and byte {@code 2i + 1} for its row
 * {@code 32 + i}, so that 16-bit lanes split into two runs of neighbouring rows. Two vectors form a block, which shares a
 * table that a kernel has loaded; up to 40 groups form a chunk, whose tables stay in the first-level cache and whose sums fit
 * 16 bits. A panel is the rows that one thread takes. Bytes follow one another in the order in which a kernel wants them:
 *
 * <pre>
 * [panel] [chunk of 40 groups] [block of 2 vectors] [group] [vector of the block] [64 rows]
 * </pre>
 *
 * Panels, chunks and blocks may be smaller where the matrix or the panel ends; a panel's rows are a multiple of 64. Rows and columns beyond
 * the matrix, up to the next multiple of 64 and 5, hold weight 0.
 */
public final class Base3Matrix implements TernaryMatrix {

    /** Columns that share a byte. */
    public static final int GROUP_COLUMNS = 5;

    /** Rows of a vector. */
    public static final int VECTOR_ROWS = 64;

    /** Vectors of a block. */
    public static final int BLOCK_VECTORS = 2;

    /** Groups of a chunk. */
    public static final int CHUNK_GROUPS = 40;

    private static final int BASE = 3;
    private static final int SIGN = 0x80;
    private static final int MAGNITUDE = 0x7f;
    private static final int HALF = VECTOR_ROWS / 2;
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final float scale;
    private final int panelRows;
    private final MemorySegment codes;
    private final int[] negativeCodes;
    private final long zeros;
    private final long negatives;

    private Base3Matrix(Builder built, float scale) {
        this.rows = built.rows;
        this.columns = built.columns;
        this.scale = scale;
        this.panelRows = built.panelRows;
        this.codes = built.codes.asReadOnly();
        this.negativeCodes = built.negativeCodes;
        this.zeros = (long) rows * columns - built.nonZeros.sum();
        this.negatives = built.negatives.sum();
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

    @Override
    public long zeros() {
        return zeros;
    }

    @Override
    public long negatives() {
        return negatives;
    }

    @Override
    public long byteSize() {
        return codes.byteSize();
    }

    /** Returns the rows of a panel, a multiple of {@link #VECTOR_ROWS}; the last panel may have fewer. */
    @Override
    public int rowBlock() {
        return panelRows;
    }

    /** Returns the bytes, laid out as the class comment says; 64-byte aligned, read-only. */
    public MemorySegment codes() {
        return codes;
    }

    /** Returns the number of column groups, the last one padded. */
    public int groups() {
        return groups(columns);
    }

    /** Returns the vectors of the panel that begins at row {@code row}, the last one padded. */
    public int panelVectors(int row) {
        return panelVectors(rows, panelRows, row);
    }

    /** Returns where in {@link #codes} the panel that begins at row {@code row} begins. */
    public long panelOffset(int row) {
        return (long) row * groups();
    }

    /** Returns how many of a row's codes are negative, {@code [rows]}; not to be changed. */
    public int[] negativeCodes() {
        return negativeCodes;
    }

    @Override
    public int trit(int row, int column) {
        int value = value(codes, offset(rows, panelRows, groups(), row, column / GROUP_COLUMNS));
        for (int k = column % GROUP_COLUMNS; k > 0; k--) {
            value = (value - lowest(value)) / BASE;
        }
        return lowest(value);
    }

    @Override
    public void readRow(int row, byte[] trits, int offset) {
        int groups = groups();
        long stride = (long) blockVectors(rows, panelRows, row) * VECTOR_ROWS;
        long at = 0;
        for (int group = 0; group < groups; group++) {
            at = group % CHUNK_GROUPS == 0 ? offset(rows, panelRows, groups, row, group) : at + stride;
            int value = value(codes, at);
            int first = group * GROUP_COLUMNS;
            int count = Math.min(GROUP_COLUMNS, columns - first);
            for (int k = 0; k < count; k++) {
                int trit = lowest(value);
                trits[offset + first + k] = (byte) trit;
                value = (value - trit) / BASE;
            }
        }
    }

    private static int value(MemorySegment codes, long at) {
        byte code = codes.get(ValueLayout.JAVA_BYTE, at);
        return code < 0 ? -(code & MAGNITUDE) : code;
    }

    /** Returns the lowest digit of a balanced base-3 number. */
    private static int lowest(int value) {
        return Math.floorMod(value + 1, BASE) - 1;
    }

    /** Returns the bytes that a packed matrix of this size takes. */
    static long packedBytes(int rows, int columns) {
        return (long) Math.ceilDiv(rows, VECTOR_ROWS) * VECTOR_ROWS * groups(columns);
    }

    private static int groups(int columns) {
        return Math.ceilDiv(columns, GROUP_COLUMNS);
    }

    private static int panelVectors(int rows, int panelRows, int row) {
        return Math.ceilDiv(Math.min(panelRows, rows - row), VECTOR_ROWS);
    }

    private static long offset(int rows, int panelRows, int groups, int row, int group) {
        int panel = row / panelRows * panelRows;
        int vectors = panelVectors(rows, panelRows, panel);
        int chunk = group / CHUNK_GROUPS * CHUNK_GROUPS;
        int chunkGroups = Math.min(CHUNK_GROUPS, groups - chunk);
        int vector = (row - panel) / VECTOR_ROWS;
        int block = vector / BLOCK_VECTORS * BLOCK_VECTORS;
        int lane = row % VECTOR_ROWS;
        long vectorsBefore = (long) panel / VECTOR_ROWS * groups
                + (long) chunk * vectors
                + (long) block * chunkGroups
                + (long) (group - chunk) * blockVectors(rows, panelRows, row)
                + (vector - block);
        return vectorsBefore * VECTOR_ROWS + lane(lane);
    }

    /** Returns which byte of a vector is that of its row {@code row}. */
    private static int lane(int row) {
        return row < HALF ? 2 * row : 2 * (row - HALF) + 1;
    }

    /** Returns how many vectors the block of row {@code row} has. */
    private static int blockVectors(int rows, int panelRows, int row) {
        int panel = row / panelRows * panelRows;
        int block = (row - panel) / VECTOR_ROWS / BLOCK_VECTORS * BLOCK_VECTORS;
        return Math.min(BLOCK_VECTORS, panelVectors(rows, panelRows, panel) - block);
    }

    /** Packs a matrix. */
    static final class Builder implements TernaryMatrix.Builder {
        private final int rows;
        private final int columns;
        private final int panelRows;
        private final MemorySegment codes;
        private final int[] negativeCodes;
        private final LongAdder nonZeros = new LongAdder();
        private final LongAdder negatives = new LongAdder();

        Builder(int rows, int columns, int panels, Arena arena) {
            TernaryMatrix.requireNotEmpty(rows, columns);
            this.rows = rows;
            this.columns = columns;
            this.panelRows = Math.ceilDiv(Math.ceilDiv(rows, VECTOR_ROWS), panels) * VECTOR_ROWS;
            this.codes = arena.allocate(packedBytes(rows, columns), ALIGNMENT);
            this.negativeCodes = new int[rows];
        }

        @Override
        public Builder setRow(int row, byte[] trits, int offset) {
            byte[] padded = new byte[columns + TritWords.TRITS];
            System.arraycopy(trits, offset, padded, 0, columns);
            int groups = groups(columns);
            TritWords.Counts counts = new TritWords.Counts();
            for (int group = 0; group < groups; group++) {
                long word = TritWords.codes(padded, group * GROUP_COLUMNS, columnsOf(group));
                counts.add(word);
                codes.set(ValueLayout.JAVA_BYTE, offset(rows, panelRows, groups, row, group), code(row, word));
            }
            count(counts, row, 1, trits, offset, 0);
            return this;
        }

        @Override
        public Builder setRows(int firstRow, int count, byte[] trits, int offset, int stride) {
            boolean vector = firstRow % VECTOR_ROWS == 0 && count == Math.min(VECTOR_ROWS, rows - firstRow);
            if (vector && trits.length >= offset + (count - 1) * stride + columns + TritWords.TRITS) {
                setVector(firstRow, count, trits, offset, stride);
            } else {
                TernaryMatrix.Builder.super.setRows(firstRow, count, trits, offset, stride);
            }
            return this;
        }

        /** Sets the rows of a vector group by group: the bytes of a group lie together. */
        private void setVector(int firstRow, int count, byte[] trits, int offset, int stride) {
            int groups = groups(columns);
            byte[] line = new byte[VECTOR_ROWS];
            TritWords.Counts counts = new TritWords.Counts();
            for (int group = 0; group < groups; group++) {
                int columnsOf = columnsOf(group);
                int first = offset + group * GROUP_COLUMNS;
                for (int i = 0; i < count; i++) {
                    long word = TritWords.codes(trits, first + i * stride, columnsOf);
                    counts.add(word);
                    line[lane(i)] = code(firstRow + i, word);
                }
                long at = offset(rows, panelRows, groups, firstRow, group);
                MemorySegment.copy(line, 0, codes, ValueLayout.JAVA_BYTE, at, VECTOR_ROWS);
            }
            count(counts, firstRow, count, trits, offset, stride);
        }

        private int columnsOf(int group) {
            return Math.min(GROUP_COLUMNS, columns - group * GROUP_COLUMNS);
        }

        /** Returns the byte of a group of row {@code row}. */
        private byte code(int row, long word) {
            int value = TritWords.base3(word);
            negativeCodes[row] += value >>> (Integer.SIZE - 1);
            return (byte) (value < 0 ? SIGN - value : value);
        }

        /** Takes over what rows have been found to hold, unless that was something else than trits. */
        private void count(TritWords.Counts counts, int firstRow, int count, byte[] trits, int offset, int stride) {
            if (counts.anyInvalid()) {
                for (int i = 0; i < count; i++) {
                    TernaryMatrix.requireTrits(trits, offset + i * stride, firstRow + i, columns);
                }
            }
            nonZeros.add(counts.nonZeros());
            negatives.add(counts.negatives());
        }

        @Override
        public Base3Matrix build(float scale) {
            return new Base3Matrix(this, scale);
        }
    }
}
