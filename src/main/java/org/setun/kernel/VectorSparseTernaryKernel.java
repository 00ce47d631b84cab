package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.TernaryColumns;

/**
 * Sparse ternary products with vectors of 16-bit lanes, a lane for each row: {@value #COLUMNS} columns are read side by side
 * from top to bottom, each in one run, and added to 16-bit sums of all rows, which stay in the cache. As in
 * {@link VectorTernaryKernel} the codes are {@code trit + 1}, so each sum starts from minus the sum of the activations.
 *
 * <p>Lanes hold at most {@value #COLUMNS_PER_CHUNK} products of magnitude {@code 2 * 128}, which is 31,744 and fits 16 bits; then
 * they are added to the 32-bit sums.
 *
 * <p>The methods are small for the reason that {@link VectorTernaryKernel} gives. Instances come from
 * {@link VectorWidth#instance}.
 */
final class VectorSparseTernaryKernel implements SparseTernaryKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Short> SHORTS = VectorWidth.species(short.class, BITS);
    private static final VectorSpecies<Integer> INTS = VectorWidth.species(int.class, BITS);
    private static final int LANES = SHORTS.length();

    /** Columns read side by side: enough streams for the memory, and a sum is loaded and stored once for all of them. */
    private static final int COLUMNS = 4;

    private static final int COLUMNS_PER_CHUNK = 124;
    private static final int BLOCK_WORDS = TernaryColumns.BLOCK_WORDS;
    private static final int CODE_BITS = 2;
    private static final short CODE_MASK = 3;

    /** A thread's 16-bit sums, in the order of the rows. */
    private static final ThreadLocal<short[]> SCRATCH = new ThreadLocal<>();

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public void multiply(
            TernaryColumns weights,
            QuantizedActivations activations,
            int token,
            int fromRow,
            int toRow,
            int[] sums,
            int sumsOffset) {
        activations.requireColumns(weights.columns());
        byte[] codes = activations.codes();
        int[] columns = activations.nonZeroColumns();
        int offset = activations.rowOffset(token);
        int last = offset + activations.nonZeros(token);
        int rows = toRow - fromRow;
        Arrays.fill(sums, sumsOffset, sumsOffset + rows, -codeSum(codes, offset, columns, last));
        int words = Math.ceilDiv(rows, TernaryColumns.ROW_BLOCK) * BLOCK_WORDS;
        short[] lanes = scratch(words * TernaryColumns.WORD_ROWS);
        for (int chunk = offset; chunk < last; chunk += COLUMNS_PER_CHUNK) {
            int end = Math.min(last, chunk + COLUMNS_PER_CHUNK);
            Arrays.fill(lanes, 0, words * TernaryColumns.WORD_ROWS, (short) 0);
            int i = chunk;
            for (; i + COLUMNS <= end; i += COLUMNS) {
                int column0 = columns[i];
                int column1 = columns[i + 1];
                int column2 = columns[i + 2];
                int column3 = columns[i + 3];
                addFourColumns(
                        weights.words(),
                        address(weights, fromRow, column0),
                        address(weights, fromRow, column1),
                        address(weights, fromRow, column2),
                        address(weights, fromRow, column3),
                        words,
                        codes[offset + column0],
                        codes[offset + column1],
                        codes[offset + column2],
                        codes[offset + column3],
                        lanes);
            }
            for (; i < end; i++) {
                int column = columns[i];
                addColumn(weights.words(), address(weights, fromRow, column), words, codes[offset + column], lanes);
            }
            addTo(sums, sumsOffset, rows, lanes);
        }
    }

    private static short[] scratch(int length) {
        short[] lanes = SCRATCH.get();
        if (lanes == null || lanes.length < length) {
            lanes = new short[length];
            SCRATCH.set(lanes);
        }
        return lanes;
    }

    private static int codeSum(byte[] codes, int offset, int[] columns, int last) {
        int sum = 0;
        for (int i = offset; i < last; i++) {
            sum += codes[offset + columns[i]];
        }
        return sum;
    }

    private static void addFourColumns(
            MemorySegment memory,
            long at0,
            long at1,
            long at2,
            long at3,
            int words,
            short x0,
            short x1,
            short x2,
            short x3,
            short[] lanes) {
        for (int w = 0; w < words; w += LANES) {
            long skip = (long) w * Short.BYTES;
            ShortVector word0 = load(memory, at0 + skip);
            ShortVector word1 = load(memory, at1 + skip);
            ShortVector word2 = load(memory, at2 + skip);
            ShortVector word3 = load(memory, at3 + skip);
            int lane = lane(w);
            for (int k = 0; k < TernaryColumns.WORD_ROWS; k++) {
                ShortVector sum = ShortVector.fromArray(SHORTS, lanes, lane);
                sum = sum.add(code(word0, k).mul(x0));
                sum = sum.add(code(word1, k).mul(x1));
                sum = sum.add(code(word2, k).mul(x2));
                sum = sum.add(code(word3, k).mul(x3));
                sum.intoArray(lanes, lane);
                lane += BLOCK_WORDS;
            }
        }
    }

    private static void addColumn(MemorySegment memory, long at, int words, short x, short[] lanes) {
        for (int w = 0; w < words; w += LANES) {
            ShortVector word = load(memory, at + (long) w * Short.BYTES);
            int lane = lane(w);
            for (int k = 0; k < TernaryColumns.WORD_ROWS; k++) {
                ShortVector sum = ShortVector.fromArray(SHORTS, lanes, lane);
                sum.add(code(word, k).mul(x)).intoArray(lanes, lane);
                lane += BLOCK_WORDS;
            }
        }
    }

    /** Returns which row the lowest bits of word {@code w} hold. */
    private static int lane(int w) {
        return w / BLOCK_WORDS * TernaryColumns.ROW_BLOCK + w % BLOCK_WORDS;
    }

    private static long address(TernaryColumns weights, int row, int column) {
        return TernaryColumns.wordOffset(weights.blocks(), row, column);
    }

    private static ShortVector load(MemorySegment words, long at) {
        return ShortVector.fromMemorySegment(SHORTS, words, at, ByteOrder.LITTLE_ENDIAN);
    }

    private static ShortVector code(ShortVector word, int k) {
        return word.lanewise(VectorOperators.LSHR, (short) (CODE_BITS * k)).and(CODE_MASK);
    }

    /** Adds the 16-bit sums of {@code rows} rows to the 32-bit ones. */
    private static void addTo(int[] sums, int offset, int rows, short[] lanes) {
        int bound = SHORTS.loopBound(rows);
        for (int row = 0; row < bound; row += LANES) {
            ShortVector narrow = ShortVector.fromArray(SHORTS, lanes, row);
            int low = offset + row;
            int high = low + INTS.length();
            IntVector.fromArray(INTS, sums, low).add(widened(narrow, 0)).intoArray(sums, low);
            IntVector.fromArray(INTS, sums, high).add(widened(narrow, 1)).intoArray(sums, high);
        }
        for (int row = bound; row < rows; row++) {
            sums[offset + row] += lanes[row];
        }
    }

    private static IntVector widened(ShortVector narrow, int half) {
        return (IntVector) narrow.convertShape(VectorOperators.S2I, INTS, half);
    }
}
