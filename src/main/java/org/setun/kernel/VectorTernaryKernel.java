package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.CellMatrix;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * Ternary products with vectors of 16-bit lanes, a lane for each row: shift a code of the packed word down, mask it, multiply
 * it by the activation, add. The codes are {@code trit + 1}, so each sum starts from minus the sum of the activations:
 * {@code sum(x * trit) = sum(x * code) - sum(x)}.
 *
 * <p>Lanes hold at most {@value #GROUPS_PER_CHUNK} groups of 8 products of magnitude {@code 2 * 127}, which is 32,512 and fits
 * 16 bits; then they are added to the 32-bit sums.
 *
 * <p>The methods are small and their vectors few on purpose: C2 stops inlining vector calls in methods of more than 18,000
 * nodes, and then allocates an object for each. Writing the loop over a word's 8 columns out by hand does that already, ten
 * times slower.
 *
 * <p>Instances come from {@link VectorWidth#instance}.
 */
final class VectorTernaryKernel implements TernaryKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Short> SHORTS = VectorWidth.species(short.class, BITS);
    private static final VectorSpecies<Integer> INTS = VectorWidth.species(int.class, BITS);
    private static final VectorSpecies<Byte> BYTES = VectorWidth.species(byte.class, BITS / 2);
    private static final int LANES = SHORTS.length();

    /** Row vectors of a tile: enough to use an activation for more than one vector, few enough for the compiler. */
    private static final int TILE_ROWS = 4 * LANES;

    /** Tokens that share a loaded word, each with an accumulator for two row vectors. */
    private static final int TILE_TOKENS = 4;

    private static final int GROUPS_PER_CHUNK = 16;
    private static final int CELL_BYTES = CellMatrix.ROW_BLOCK * Short.BYTES;
    private static final short CODE_MASK = 3;
    private static final int CODE_BITS = 2;

    /** How many int8 codes a 16-bit lane can add up. */
    private static final int CODES_PER_LANE = 256;

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public TernaryLayout layout(int threads) {
        return new TernaryLayout.Cells();
    }

    @Override
    public ColumnPolicy columnPolicy() {
        return ColumnPolicy.AGAINST_MULTIPLICATION;
    }

    @Override
    public void multiply(
            TernaryMatrix matrix, QuantizedActivations activations, int tokens, int fromRow, int toRow, int[] sums) {
        activations.requireColumns(matrix.columns());
        if (!(matrix instanceof CellMatrix weights)) {
            throw new IllegalArgumentException(name() + ": expected weights in cells, found "
                    + matrix.getClass().getSimpleName());
        }
        int rows = weights.rows();
        for (int token = 0; token < tokens; token++) {
            int codeSum = codeSum(activations.codes(), activations.rowOffset(token), weights.columns());
            Arrays.fill(sums, token * rows + fromRow, token * rows + toRow, -codeSum);
        }
        int row = fromRow;
        for (; row + TILE_ROWS <= toRow; row += TILE_ROWS) {
            addTile(weights, activations, tokens, row, sums);
        }
        for (; row + LANES <= toRow; row += LANES) {
            for (int token = 0; token < tokens; token++) {
                addStrip(weights, activations, token, row, sums, token * rows + row);
            }
        }
        if (row < toRow) {
            addLastRows(weights, activations, tokens, row, toRow, sums);
        }
    }

    /** Returns the sum of a token's codes; the padding behind them is zero and may be read. */
    private static int codeSum(byte[] codes, int offset, int columns) {
        int sum = 0;
        for (int from = 0; from < columns; from += CODES_PER_LANE * LANES) {
            ShortVector lanes = ShortVector.zero(SHORTS);
            int to = Math.min(columns, from + CODES_PER_LANE * LANES);
            for (int c = from; c < to; c += LANES) {
                lanes = lanes.add(
                        ByteVector.fromArray(BYTES, codes, offset + c).convertShape(VectorOperators.B2S, SHORTS, 0));
            }
            sum += widened(lanes, 0).add(widened(lanes, 1)).reduceLanes(VectorOperators.ADD);
        }
        return sum;
    }

    /** Adds the products of {@link #TILE_ROWS} rows; the rows' words stay in the cache from one token to the next. */
    private static void addTile(CellMatrix weights, QuantizedActivations activations, int tokens, int row, int[] sums) {
        MemorySegment words = weights.words();
        int groups = weights.groups();
        int rows = weights.rows();
        byte[] codes = activations.codes();
        long at0 = address(groups, row);
        long at1 = address(groups, row + LANES);
        long at2 = address(groups, row + 2 * LANES);
        long at3 = address(groups, row + 3 * LANES);
        int token = 0;
        for (; token + TILE_TOKENS <= tokens; token += TILE_TOKENS) {
            int code = activations.rowOffset(token);
            int stride = activations.rowOffset(token + 1) - code;
            int to = token * rows + row;
            for (int group = 0; group < groups; group += GROUPS_PER_CHUNK) {
                int count = Math.min(GROUPS_PER_CHUNK, groups - group);
                int column = code + group * CellMatrix.COLUMN_GROUP;
                long skip = (long) group * CELL_BYTES;
                addTwoRowVectorsOfFourTokens(
                        words, at0 + skip, at1 + skip, count, codes, column, stride, sums, to, rows);
                addTwoRowVectorsOfFourTokens(
                        words, at2 + skip, at3 + skip, count, codes, column, stride, sums, to + 2 * LANES, rows);
            }
        }
        for (; token < tokens; token++) {
            int code = activations.rowOffset(token);
            for (int group = 0; group < groups; group += GROUPS_PER_CHUNK) {
                int count = Math.min(GROUPS_PER_CHUNK, groups - group);
                int column = code + group * CellMatrix.COLUMN_GROUP;
                long skip = (long) group * CELL_BYTES;
                addFourRowVectors(
                        words,
                        at0 + skip,
                        at1 + skip,
                        at2 + skip,
                        at3 + skip,
                        count,
                        codes,
                        column,
                        sums,
                        token * rows + row);
            }
        }
    }

    /** Adds the products of {@link #LANES} rows and one token to {@code out}. */
    private static void addStrip(
            CellMatrix weights, QuantizedActivations activations, int token, int row, int[] out, int to) {
        int groups = weights.groups();
        long at = address(groups, row);
        int code = activations.rowOffset(token);
        for (int group = 0; group < groups; group += GROUPS_PER_CHUNK) {
            int count = Math.min(GROUPS_PER_CHUNK, groups - group);
            int column = code + group * CellMatrix.COLUMN_GROUP;
            addRowVector(weights.words(), at + (long) group * CELL_BYTES, count, activations.codes(), column, out, to);
        }
    }

    /** Adds the products of fewer than {@link #LANES} rows, the matrix's last, whose words are padded to a whole block. */
    private static void addLastRows(
            CellMatrix weights, QuantizedActivations activations, int tokens, int row, int toRow, int[] sums) {
        int[] strip = new int[LANES];
        for (int token = 0; token < tokens; token++) {
            Arrays.fill(strip, 0);
            addStrip(weights, activations, token, row, strip, 0);
            for (int r = row; r < toRow; r++) {
                sums[token * weights.rows() + r] += strip[r - row];
            }
        }
    }

    private static void addRowVector(
            MemorySegment words, long at, int groups, byte[] codes, int column, int[] out, int to) {
        ShortVector sum = ShortVector.zero(SHORTS);
        for (int group = 0; group < groups; group++) {
            ShortVector word = load(words, at + (long) group * CELL_BYTES);
            for (int k = 0; k < CellMatrix.COLUMN_GROUP; k++) {
                sum = sum.add(code(word, k).mul(codes[column + k]));
            }
            column += CellMatrix.COLUMN_GROUP;
        }
        addTo(out, to, sum);
    }

    private static void addFourRowVectors(
            MemorySegment words,
            long at0,
            long at1,
            long at2,
            long at3,
            int groups,
            byte[] codes,
            int column,
            int[] out,
            int to) {
        ShortVector sum0 = ShortVector.zero(SHORTS);
        ShortVector sum1 = sum0;
        ShortVector sum2 = sum0;
        ShortVector sum3 = sum0;
        for (int group = 0; group < groups; group++) {
            long skip = (long) group * CELL_BYTES;
            ShortVector word0 = load(words, at0 + skip);
            ShortVector word1 = load(words, at1 + skip);
            ShortVector word2 = load(words, at2 + skip);
            ShortVector word3 = load(words, at3 + skip);
            for (int k = 0; k < CellMatrix.COLUMN_GROUP; k++) {
                short x = codes[column + k];
                sum0 = sum0.add(code(word0, k).mul(x));
                sum1 = sum1.add(code(word1, k).mul(x));
                sum2 = sum2.add(code(word2, k).mul(x));
                sum3 = sum3.add(code(word3, k).mul(x));
            }
            column += CellMatrix.COLUMN_GROUP;
        }
        addTo(out, to, sum0);
        addTo(out, to + LANES, sum1);
        addTo(out, to + 2 * LANES, sum2);
        addTo(out, to + 3 * LANES, sum3);
    }

    private static void addTwoRowVectorsOfFourTokens(
            MemorySegment words,
            long at0,
            long at1,
            int groups,
            byte[] codes,
            int column,
            int stride,
            int[] out,
            int to,
            int rows) {
        ShortVector sum00 = ShortVector.zero(SHORTS);
        ShortVector sum01 = sum00;
        ShortVector sum10 = sum00;
        ShortVector sum11 = sum00;
        ShortVector sum20 = sum00;
        ShortVector sum21 = sum00;
        ShortVector sum30 = sum00;
        ShortVector sum31 = sum00;
        for (int group = 0; group < groups; group++) {
            ShortVector word0 = load(words, at0 + (long) group * CELL_BYTES);
            ShortVector word1 = load(words, at1 + (long) group * CELL_BYTES);
            for (int k = 0; k < CellMatrix.COLUMN_GROUP; k++) {
                ShortVector code0 = word0.and(CODE_MASK);
                ShortVector code1 = word1.and(CODE_MASK);
                word0 = word0.lanewise(VectorOperators.LSHR, CODE_BITS);
                word1 = word1.lanewise(VectorOperators.LSHR, CODE_BITS);
                short x = codes[column + k];
                sum00 = sum00.add(code0.mul(x));
                sum01 = sum01.add(code1.mul(x));
                x = codes[column + stride + k];
                sum10 = sum10.add(code0.mul(x));
                sum11 = sum11.add(code1.mul(x));
                x = codes[column + 2 * stride + k];
                sum20 = sum20.add(code0.mul(x));
                sum21 = sum21.add(code1.mul(x));
                x = codes[column + 3 * stride + k];
                sum30 = sum30.add(code0.mul(x));
                sum31 = sum31.add(code1.mul(x));
            }
            column += CellMatrix.COLUMN_GROUP;
        }
        addTo(out, to, sum00);
        addTo(out, to + LANES, sum01);
        addTo(out, to + rows, sum10);
        addTo(out, to + rows + LANES, sum11);
        addTo(out, to + 2 * rows, sum20);
        addTo(out, to + 2 * rows + LANES, sum21);
        addTo(out, to + 3 * rows, sum30);
        addTo(out, to + 3 * rows + LANES, sum31);
    }

    private static long address(int groups, int row) {
        return CellMatrix.wordOffset(groups, row, 0);
    }

    private static ShortVector load(MemorySegment words, long at) {
        return ShortVector.fromMemorySegment(SHORTS, words, at, ByteOrder.LITTLE_ENDIAN);
    }

    private static ShortVector code(ShortVector word, int k) {
        return word.lanewise(VectorOperators.LSHR, (short) (CODE_BITS * k)).and(CODE_MASK);
    }

    private static void addTo(int[] out, int to, ShortVector sums) {
        IntVector.fromArray(INTS, out, to).add(widened(sums, 0)).intoArray(out, to);
        int half = to + INTS.length();
        IntVector.fromArray(INTS, out, half).add(widened(sums, 1)).intoArray(out, half);
    }

    private static IntVector widened(ShortVector sums, int half) {
        return (IntVector) sums.convertShape(VectorOperators.S2I, INTS, half);
    }
}
