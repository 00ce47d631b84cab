package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.TernaryTable;

/**
 * Rows of ternary tables with vectors. A product works as in {@link VectorTernaryKernel}: codes are {@code trit + 1}, so
 * {@code sum(x * trit) = sum(x * code) - sum(x)}; lanes of 16 bits hold at most {@value #BLOCKS_PER_CHUNK} blocks, then they
 * are added to 32-bit ones. A sum of floats looks up minus the factor, 0 or the factor by the code, and adds.
 *
 * <p>The rows lie anywhere in tables far larger than the caches. So the lines of many rows are read before the first is worked
 * on: no such read waits for another, and memory serves as many at once as the processor can ask for. At a million experts of
 * 1,024 columns that takes a layer of {@code PeerBenchmark} from 148 to 135 microseconds a token.
 *
 * <p>Instances come from {@link VectorWidth#instance}.
 */
final class VectorExpertKernel implements ExpertKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Integer> INTS = VectorWidth.species(int.class, BITS);
    private static final VectorSpecies<Float> FLOATS = VectorWidth.species(float.class, BITS);
    private static final int LANES = INTS.length();
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int BLOCK_WORDS = TernaryTable.BLOCK_WORDS;
    private static final int BLOCK_COLUMNS = TernaryTable.BLOCK_COLUMNS;
    private static final int FIELDS = BLOCK_COLUMNS / BLOCK_WORDS;
    private static final int CODE_BITS = 2;
    private static final short CODE_MASK = 3;

    /** Products of magnitude at most 2 * 128 that a 16-bit lane holds, divided by those of a block. */
    private static final int BLOCKS_PER_CHUNK = 127 / (FIELDS / 2 * (BLOCK_WORDS / LANES));

    /** Rows of a product that go side by side. */
    private static final int TILE = 4;

    /** Picks whose rows are asked of memory together: many beside what a processor has under way, few beside a cache. */
    private static final int AHEAD = 64;

    /** The lower bit of each code of a word. */
    private static final int LOWER_BITS = 0x55555555;

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public void multiply(
            TernaryTable table, ExpertCodes codes, int[] rows, int[] tokens, int from, int to, int[] sums) {
        codes.requireColumns(table.columns());
        for (int first = from; first < to; first += AHEAD) {
            int last = Math.min(first + AHEAD, to);
            for (int i = first; i < last; i++) {
                touch(table, rows[i], 0, table.blocks());
            }
            int i = first;
            for (; i + TILE <= last; i += TILE) {
                multiplyFour(table, codes, rows, tokens, i, sums);
            }
            for (; i < last; i++) {
                int sum = 0;
                for (int block = 0; block < table.blocks(); block += BLOCKS_PER_CHUNK) {
                    sum += product(table, rows[i], codes, tokens[i], block);
                }
                sums[i] = sum - codes.codeSum(tokens[i]);
            }
        }
    }

    /**
     * Brings the lines of blocks {@code [fromBlock, toBlock)} of a row into the cache, by a check that needs a word of each: no
     * code has both bits set.
     */
    private static void touch(TernaryTable table, int row, int fromBlock, int toBlock) {
        long at = table.rowOffset(row);
        int both = 0;
        for (int block = fromBlock; block < toBlock; block++) {
            int word = table.words().get(WORD, at + (long) block * TernaryTable.BLOCK_BYTES);
            both |= word & word >>> 1;
        }
        if ((both & LOWER_BITS) != 0) {
            throw new IllegalStateException("row " + row + " holds a code that stands for no trit");
        }
    }

    private static void multiplyFour(
            TernaryTable table, ExpertCodes codes, int[] rows, int[] tokens, int i, int[] sums) {
        for (int j = i; j < i + TILE; j++) {
            sums[j] = -codes.codeSum(tokens[j]);
        }
        for (int block = 0; block < table.blocks(); block += BLOCKS_PER_CHUNK) {
            long skip = (long) block * TernaryTable.BLOCK_BYTES;
            int codeSkip = block * ExpertCodes.BLOCK_PAIRS;
            addFourProducts(
                    table.words(),
                    table.rowOffset(rows[i]) + skip,
                    table.rowOffset(rows[i + 1]) + skip,
                    table.rowOffset(rows[i + 2]) + skip,
                    table.rowOffset(rows[i + 3]) + skip,
                    Math.min(BLOCKS_PER_CHUNK, table.blocks() - block),
                    codes.pairs(),
                    codes.pairsOffset(tokens[i]) + codeSkip,
                    codes.pairsOffset(tokens[i + 1]) + codeSkip,
                    codes.pairsOffset(tokens[i + 2]) + codeSkip,
                    codes.pairsOffset(tokens[i + 3]) + codeSkip,
                    sums,
                    i);
        }
    }

    private static void addFourProducts(
            MemorySegment words,
            long at0,
            long at1,
            long at2,
            long at3,
            int blocks,
            int[] pairs,
            int x0,
            int x1,
            int x2,
            int x3,
            int[] sums,
            int i) {
        ShortVector sum0 = IntVector.zero(INTS).reinterpretAsShorts();
        ShortVector sum1 = sum0;
        ShortVector sum2 = sum0;
        ShortVector sum3 = sum0;
        for (int word = 0; word < blocks * BLOCK_WORDS; word += LANES) {
            long skip = (long) word * Integer.BYTES;
            int x = word / BLOCK_WORDS * ExpertCodes.BLOCK_PAIRS + word % BLOCK_WORDS;
            ShortVector word0 = words(words, at0 + skip).reinterpretAsShorts();
            ShortVector word1 = words(words, at1 + skip).reinterpretAsShorts();
            ShortVector word2 = words(words, at2 + skip).reinterpretAsShorts();
            ShortVector word3 = words(words, at3 + skip).reinterpretAsShorts();
            for (int k = 0; k < FIELDS / 2; k++) {
                sum0 = sum0.add(word0.and(CODE_MASK).mul(codes(pairs, x0 + x)));
                sum1 = sum1.add(word1.and(CODE_MASK).mul(codes(pairs, x1 + x)));
                sum2 = sum2.add(word2.and(CODE_MASK).mul(codes(pairs, x2 + x)));
                sum3 = sum3.add(word3.and(CODE_MASK).mul(codes(pairs, x3 + x)));
                word0 = word0.lanewise(VectorOperators.LSHR, CODE_BITS);
                word1 = word1.lanewise(VectorOperators.LSHR, CODE_BITS);
                word2 = word2.lanewise(VectorOperators.LSHR, CODE_BITS);
                word3 = word3.lanewise(VectorOperators.LSHR, CODE_BITS);
                x += ExpertCodes.RUN_PAIRS;
            }
        }
        sums[i] += total(sum0);
        sums[i + 1] += total(sum1);
        sums[i + 2] += total(sum2);
        sums[i + 3] += total(sum3);
    }

    /** Returns the product of codes with up to {@link #BLOCKS_PER_CHUNK} blocks of packed codes from {@code fromBlock} on. */
    private static int product(TernaryTable table, int row, ExpertCodes codes, int token, int fromBlock) {
        MemorySegment words = table.words();
        long at = table.rowOffset(row);
        int[] pairs = codes.pairs();
        int offset = codes.pairsOffset(token);
        int toWord = Math.min(fromBlock + BLOCKS_PER_CHUNK, table.blocks()) * BLOCK_WORDS;
        ShortVector sum = IntVector.zero(INTS).reinterpretAsShorts();
        for (int word = fromBlock * BLOCK_WORDS; word < toWord; word += LANES) {
            int x = offset + word / BLOCK_WORDS * ExpertCodes.BLOCK_PAIRS + word % BLOCK_WORDS;
            ShortVector packed = words(words, at + (long) word * Integer.BYTES).reinterpretAsShorts();
            for (int k = 0; k < FIELDS / 2; k++) {
                sum = sum.add(packed.and(CODE_MASK).mul(codes(pairs, x)));
                packed = packed.lanewise(VectorOperators.LSHR, CODE_BITS);
                x += ExpertCodes.RUN_PAIRS;
            }
        }
        return total(sum);
    }

    private static IntVector words(MemorySegment words, long at) {
        return IntVector.fromMemorySegment(INTS, words, at, ByteOrder.LITTLE_ENDIAN);
    }

    private static ShortVector codes(int[] pairs, int at) {
        return IntVector.fromArray(INTS, pairs, at).reinterpretAsShorts();
    }

    /** Returns the sum of all lanes, in 32 bits. */
    private static int total(ShortVector sums) {
        IntVector both = sums.reinterpretAsInts();
        IntVector low = both.lanewise(VectorOperators.LSHL, Short.SIZE).lanewise(VectorOperators.ASHR, Short.SIZE);
        return low.add(both.lanewise(VectorOperators.ASHR, Short.SIZE)).reduceLanes(VectorOperators.ADD);
    }

    @Override
    public void addRows(
            TernaryTable table, int[] rows, int[] tokens, float[] factors, int count, float[] out, Part part) {
        for (int first = 0; first < count; first += AHEAD) {
            int last = Math.min(first + AHEAD, count);
            for (int i = first; i < last; i++) {
                if (part.has(tokens[i])) {
                    touch(table, rows[i], part.fromBlock(), part.toBlock());
                }
            }
            addWholeBlocks(table, rows, tokens, factors, first, last, out, part);
            if (part.toBlock() > table.columns() / BLOCK_COLUMNS) {
                addLastBlock(table, rows, tokens, factors, first, last, out, part);
            }
        }
    }

    private static void addWholeBlocks(
            TernaryTable table, int[] rows, int[] tokens, float[] factors, int from, int to, float[] out, Part part) {
        int columns = table.columns();
        int toBlock = Math.min(part.toBlock(), columns / BLOCK_COLUMNS);
        int i = from;
        while (i < to) {
            boolean two = i + 1 < to && tokens[i] == tokens[i + 1];
            if (part.has(tokens[i])) {
                for (int block = part.fromBlock(); block < toBlock; block++) {
                    int at = tokens[i] * columns + block * BLOCK_COLUMNS;
                    if (two) {
                        addTwo(table, rows, factors, i, block, out, at);
                    } else {
                        addOne(table, rows[i], factors[i], block, FIELDS, out, at);
                    }
                }
            }
            i += two ? 2 : 1;
        }
    }

    /** Adds the block that the table's columns do not fill. */
    private static void addLastBlock(
            TernaryTable table, int[] rows, int[] tokens, float[] factors, int from, int to, float[] out, Part part) {
        int columns = table.columns();
        int block = columns / BLOCK_COLUMNS;
        int first = block * BLOCK_COLUMNS;
        int fields = columns % BLOCK_COLUMNS / BLOCK_WORDS;
        int rest = first + fields * BLOCK_WORDS;
        for (int i = from; i < to; i++) {
            if (part.has(tokens[i])) {
                int at = tokens[i] * columns;
                addOne(table, rows[i], factors[i], block, fields, out, at + first);
                ScalarExpertKernel.addRow(table, rows[i], rest, columns, factors[i], out, at);
            }
        }
    }

    /** Adds the first {@code fields} fields of a block of one row. */
    private static void addOne(TernaryTable table, int row, float factor, int block, int fields, float[] out, int to) {
        long at = table.rowOffset(row) + (long) block * TernaryTable.BLOCK_BYTES;
        for (int word = 0; word < BLOCK_WORDS; word += LANES) {
            addWords(table.words(), at + (long) word * Integer.BYTES, factor, fields, out, to + word);
        }
    }

    private static void addWords(MemorySegment words, long at, float factor, int fields, float[] out, int to) {
        IntVector choices = choices(factor);
        IntVector packed = words(words, at);
        for (int k = 0; k < fields; k++) {
            int column = to + k * BLOCK_WORDS;
            load(out, column).add(chosen(packed, choices)).intoArray(out, column);
            packed = packed.lanewise(VectorOperators.LSHR, CODE_BITS);
        }
    }

    /** Adds a block of two rows, one after the other, to the same token. */
    private static void addTwo(TernaryTable table, int[] rows, float[] factors, int i, int block, float[] out, int to) {
        long at0 = table.rowOffset(rows[i]) + (long) block * TernaryTable.BLOCK_BYTES;
        long at1 = table.rowOffset(rows[i + 1]) + (long) block * TernaryTable.BLOCK_BYTES;
        for (int word = 0; word < BLOCK_WORDS; word += LANES) {
            long skip = (long) word * Integer.BYTES;
            addWords(table.words(), at0 + skip, factors[i], at1 + skip, factors[i + 1], out, to + word);
        }
    }

    private static void addWords(
            MemorySegment words, long at0, float factor0, long at1, float factor1, float[] out, int to) {
        IntVector choices0 = choices(factor0);
        IntVector choices1 = choices(factor1);
        IntVector packed0 = words(words, at0);
        IntVector packed1 = words(words, at1);
        for (int k = 0; k < FIELDS; k++) {
            int column = to + k * BLOCK_WORDS;
            load(out, column)
                    .add(chosen(packed0, choices0))
                    .add(chosen(packed1, choices1))
                    .intoArray(out, column);
            packed0 = packed0.lanewise(VectorOperators.LSHR, CODE_BITS);
            packed1 = packed1.lanewise(VectorOperators.LSHR, CODE_BITS);
        }
    }

    private static FloatVector load(float[] out, int at) {
        return FloatVector.fromArray(FLOATS, out, at);
    }

    /** Returns the bits of minus the factor, 0, the factor and 0, again and again: a table by code, whatever lies above it. */
    private static IntVector choices(float factor) {
        int bits = Float.floatToRawIntBits(factor);
        IntVector code = IntVector.broadcast(INTS, 0).addIndex(1).and(CODE_MASK);
        return IntVector.zero(INTS).blend(bits, code.eq(2)).blend(bits ^ Integer.MIN_VALUE, code.eq(0));
    }

    /** Looks up the lowest code of each word: a selection ignores the bits above those that a lane's number needs. */
    private static FloatVector chosen(IntVector packed, IntVector choices) {
        return packed.selectFrom(choices).reinterpretAsFloats();
    }
}
