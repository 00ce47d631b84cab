package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.Base3Matrix;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * Ternary products by table lookup, for 512-bit vectors with a permutation of bytes (AVX-512 VBMI: {@code vpermi2b}). Five
 * weights are one code of {@link Base3Matrix}; for each five inputs a table holds what each magnitude of a code makes of them,
 * and one instruction looks up 64 rows. No weight is unpacked and nothing is multiplied but in the tables.
 *
 * <p>An entry has 16 bits and is looked up as two bytes. Exclusive or with the sign mask makes {@code -value - 1} of a negative
 * code's value, so each row's sum starts from its number of negative codes. The accumulators, for a vector of 64 rows:
 *
 * <pre>
 * pairs  += low bytes, as 16-bit lanes of two rows      [32 lanes]
 * odd    += low bytes of the odd rows                   [32 lanes]
 * high   += high bytes                                  [64 lanes]
 *
 * even row = pairs - (odd &lt;&lt; 8) + (high &lt;&lt; 8)          odd row = odd + (high &amp; 0xff00)
 * </pre>
 *
 * in 16 bits, wrapping around. An entry's magnitude is at most 640, so the sums of a chunk of 40 groups, 25,640 with their
 * signs, are exact; then they are added to the 32-bit sums.
 *
 * <p>The methods are small, their vectors few, and accumulators go through an array from one to the next, all on purpose: C2
 * stops inlining vector calls in methods of more than 18,000 nodes, and then allocates an object for each: with four vectors of a
 * block in one loop instead of two this kernel was eight times slower.
 */
final class LookupTernaryKernel implements TernaryKernel {

    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_512;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
    private static final VectorSpecies<Short> HALF_SHORTS = ShortVector.SPECIES_256;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;

    /** An operand only: as the start of a sum, an object from outside a loop would be boxed in each of its rounds. */
    private static final ByteVector ZERO = ByteVector.zero(BYTES);

    private static final int LANES = BYTES.length();
    private static final int PAIRS = SHORTS.length();
    private static final int GROUP = Base3Matrix.GROUP_COLUMNS;
    private static final int BLOCK = Base3Matrix.BLOCK_VECTORS;
    private static final int TABLE = LookupScratch.TABLE_BYTES;

    /** Where a table's high bytes begin. */
    private static final int HIGH = TABLE / 2;

    private static final int BYTE_BITS = 8;
    private static final short LOW_BYTE = 0x00ff;
    private static final short HIGH_BYTE = (short) 0xff00;

    /**
     * A table is made of two small ones: of the three low trits of a code, 27 entries, and of its two high ones, 9 entries.
     * Lane {@code i} of these is a trit of the code {@code i - 13}, or {@code i - 4} in units of 27.
     */
    private static final int LOW_TRITS = 3;

    private static final int LOW_ENTRIES = 27;
    private static final int LOW_ZERO = 13;
    private static final int HIGH_TRITS = 2;
    private static final int HIGH_ENTRIES = 9;
    private static final int HIGH_ZERO = 4;

    private static final ShortVector TRITS_0 = trits(LOW_ENTRIES, LOW_ZERO, 0);
    private static final ShortVector TRITS_1 = trits(LOW_ENTRIES, LOW_ZERO, 1);
    private static final ShortVector TRITS_2 = trits(LOW_ENTRIES, LOW_ZERO, LOW_TRITS - 1);
    private static final ShortVector TRITS_3 = trits(HIGH_ENTRIES, HIGH_ZERO, 0);
    private static final ShortVector TRITS_4 = trits(HIGH_ENTRIES, HIGH_ZERO, HIGH_TRITS - 1);

    /** Which entries of the small tables make the even and the odd entries of the first and the second half of a table. */
    private static final ShortVector LOW_EVEN_0 = lowEntries(0);

    private static final ShortVector LOW_ODD_0 = lowEntries(1);
    private static final ShortVector LOW_EVEN_1 = lowEntries(LANES);
    private static final ShortVector LOW_ODD_1 = lowEntries(LANES + 1);
    private static final ShortVector HIGH_EVEN_0 = highEntries(0);
    private static final ShortVector HIGH_ODD_0 = highEntries(1);
    private static final ShortVector HIGH_EVEN_1 = highEntries(LANES);
    private static final ShortVector HIGH_ODD_1 = highEntries(LANES + 1);

    private static ShortVector trits(int entries, int zero, int digit) {
        short[] lanes = new short[PAIRS];
        for (int i = 0; i < entries; i++) {
            int value = i - zero;
            for (int k = 0; k < digit; k++) {
                value = (value - lowestTrit(value)) / 3;
            }
            lanes[i] = (short) lowestTrit(value);
        }
        return ShortVector.fromArray(SHORTS, lanes, 0);
    }

    private static int lowestTrit(int value) {
        return Math.floorMod(value + 1, 3) - 1;
    }

    private static ShortVector lowEntries(int first) {
        short[] lanes = new short[PAIRS];
        for (int i = 0; i < PAIRS; i++) {
            int code = first + 2 * i;
            lanes[i] = (short) (code - LOW_ENTRIES * highPart(code) + LOW_ZERO);
        }
        return ShortVector.fromArray(SHORTS, lanes, 0);
    }

    private static ShortVector highEntries(int first) {
        short[] lanes = new short[PAIRS];
        for (int i = 0; i < PAIRS; i++) {
            lanes[i] = (short) (highPart(first + 2 * i) + HIGH_ZERO);
        }
        return ShortVector.fromArray(SHORTS, lanes, 0);
    }

    private static int highPart(int code) {
        return (code + LOW_ZERO) / LOW_ENTRIES;
    }

    @Override
    public String name() {
        return KernelSelection.LOOKUP;
    }

    @Override
    public TernaryLayout layout(int threads) {
        return new TernaryLayout.Base3(threads);
    }

    @Override
    public ColumnPolicy columnPolicy() {
        return ColumnPolicy.AGAINST_LOOKUP;
    }

    @Override
    public void multiply(
            TernaryMatrix weights, QuantizedActivations activations, int tokens, int fromRow, int toRow, int[] sums) {
        activations.requireColumns(weights.columns());
        if (!(weights instanceof Base3Matrix packed)) {
            throw new IllegalArgumentException(name() + ": expected weights in base 3, found "
                    + weights.getClass().getSimpleName());
        }
        LookupScratch scratch = LookupScratch.ofThread();
        for (int token = 0; token < tokens; token++) {
            System.arraycopy(packed.negativeCodes(), fromRow, sums, token * packed.rows() + fromRow, toRow - fromRow);
        }
        for (int row = fromRow; row < toRow; row += packed.rowBlock()) {
            addPanel(packed, activations, tokens, row, sums, scratch);
        }
    }

    /** Adds the products of the panel that begins at {@code row}: chunk by chunk, and in each for one token after another. */
    private static void addPanel(
            Base3Matrix weights,
            QuantizedActivations activations,
            int tokens,
            int row,
            int[] sums,
            LookupScratch scratch) {
        int groups = weights.groups();
        int vectors = weights.panelVectors(row);
        long at = weights.panelOffset(row);
        for (int group = 0; group < groups; group += Base3Matrix.CHUNK_GROUPS) {
            int count = Math.min(Base3Matrix.CHUNK_GROUPS, groups - group);
            for (int token = 0; token < tokens; token++) {
                int column = activations.rowOffset(token) + group * GROUP;
                fillTables(activations.codes(), column, count, scratch.tables);
                addChunk(weights, at, count, vectors, row, sums, token * weights.rows(), scratch);
            }
            at += (long) vectors * count * LANES;
        }
    }

    /** Adds a chunk's products, whose tables are filled, to the sums of one token. */
    private static void addChunk(
            Base3Matrix weights,
            long at,
            int groups,
            int vectors,
            int row,
            int[] sums,
            int sumsOffset,
            LookupScratch scratch) {
        MemorySegment codes = weights.codes();
        short[] accumulators = scratch.accumulators;
        for (int vector = 0; vector < vectors; vector += BLOCK) {
            int count = Math.min(BLOCK, vectors - vector);
            if (count == BLOCK) {
                sumTwoVectors(codes, at, groups, scratch.tables, accumulators);
            } else {
                for (int v = 0; v < count; v++) {
                    sumVector(codes, at + (long) v * LANES, count, groups, scratch.tables, accumulators, v);
                }
            }
            for (int v = 0; v < count; v++) {
                int first = row + (vector + v) * LANES;
                if (first + LANES <= weights.rows()) {
                    addTo(accumulators, v, sums, sumsOffset + first);
                } else {
                    Arrays.fill(scratch.last, 0);
                    addTo(accumulators, v, scratch.last, 0);
                    for (int r = first; r < weights.rows(); r++) {
                        sums[sumsOffset + r] += scratch.last[r - first];
                    }
                }
            }
            at += (long) count * groups * LANES;
        }
    }

    /** Fills the tables of {@code groups} groups of inputs: for each the low bytes of 128 entries, then the high bytes. */
    private static void fillTables(byte[] inputs, int column, int groups, byte[] tables) {
        for (int group = 0; group < groups; group++) {
            int x = column + group * GROUP;
            ShortVector low =
                    TRITS_0.mul(inputs[x]).add(TRITS_1.mul(inputs[x + 1])).add(TRITS_2.mul(inputs[x + 2]));
            ShortVector high = TRITS_3.mul(inputs[x + 3]).add(TRITS_4.mul(inputs[x + 4]));
            int to = group * TABLE;
            fillHalf(
                    LOW_EVEN_0.selectFrom(low).add(HIGH_EVEN_0.selectFrom(high)),
                    LOW_ODD_0.selectFrom(low).add(HIGH_ODD_0.selectFrom(high)),
                    tables,
                    to);
            fillHalf(
                    LOW_EVEN_1.selectFrom(low).add(HIGH_EVEN_1.selectFrom(high)),
                    LOW_ODD_1.selectFrom(low).add(HIGH_ODD_1.selectFrom(high)),
                    tables,
                    to + LANES);
        }
    }

    private static void fillHalf(ShortVector even, ShortVector odd, byte[] tables, int to) {
        even.and(LOW_BYTE)
                .or(odd.lanewise(VectorOperators.LSHL, BYTE_BITS))
                .reinterpretAsBytes()
                .intoArray(tables, to);
        even.lanewise(VectorOperators.LSHR, BYTE_BITS)
                .or(odd.and(HIGH_BYTE))
                .reinterpretAsBytes()
                .intoArray(tables, to + HIGH);
    }

    private static void sumTwoVectors(MemorySegment codes, long at, int groups, byte[] tables, short[] accumulators) {
        ShortVector pairs0 = ShortVector.zero(SHORTS);
        ShortVector pairs1 = pairs0;
        ShortVector odd0 = pairs0;
        ShortVector odd1 = pairs0;
        ByteVector high0 = ByteVector.zero(BYTES);
        ByteVector high1 = high0;
        for (int group = 0; group < groups; group++) {
            int table = group * TABLE;
            ByteVector lowA = ByteVector.fromArray(BYTES, tables, table);
            ByteVector lowB = ByteVector.fromArray(BYTES, tables, table + LANES);
            ByteVector highA = ByteVector.fromArray(BYTES, tables, table + HIGH);
            ByteVector highB = ByteVector.fromArray(BYTES, tables, table + HIGH + LANES);
            ByteVector code = load(codes, at);
            ByteVector sign = signMask(code);
            ShortVector low = lookUp(code, lowA, lowB, sign).reinterpretAsShorts();
            pairs0 = pairs0.add(low);
            odd0 = odd0.add(low.lanewise(VectorOperators.LSHR, BYTE_BITS));
            high0 = high0.add(lookUp(code, highA, highB, sign));
            code = load(codes, at + LANES);
            sign = signMask(code);
            low = lookUp(code, lowA, lowB, sign).reinterpretAsShorts();
            pairs1 = pairs1.add(low);
            odd1 = odd1.add(low.lanewise(VectorOperators.LSHR, BYTE_BITS));
            high1 = high1.add(lookUp(code, highA, highB, sign));
            at += (long) BLOCK * LANES;
        }
        store(pairs0, odd0, high0, accumulators, 0);
        store(pairs1, odd1, high1, accumulators, 1);
    }

    /** Sums one vector of a block of {@code blockVectors}. */
    private static void sumVector(
            MemorySegment codes,
            long at,
            int blockVectors,
            int groups,
            byte[] tables,
            short[] accumulators,
            int vector) {
        ShortVector pairs = ShortVector.zero(SHORTS);
        ShortVector odd = pairs;
        ByteVector high = ByteVector.zero(BYTES);
        for (int group = 0; group < groups; group++) {
            int table = group * TABLE;
            ByteVector code = load(codes, at + (long) group * blockVectors * LANES);
            ByteVector sign = signMask(code);
            ShortVector low = lookUp(
                            code,
                            ByteVector.fromArray(BYTES, tables, table),
                            ByteVector.fromArray(BYTES, tables, table + LANES),
                            sign)
                    .reinterpretAsShorts();
            pairs = pairs.add(low);
            odd = odd.add(low.lanewise(VectorOperators.LSHR, BYTE_BITS));
            high = high.add(lookUp(
                    code,
                    ByteVector.fromArray(BYTES, tables, table + HIGH),
                    ByteVector.fromArray(BYTES, tables, table + HIGH + LANES),
                    sign));
        }
        store(pairs, odd, high, accumulators, vector);
    }

    private static ByteVector load(MemorySegment codes, long at) {
        return ByteVector.fromMemorySegment(BYTES, codes, at, ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteVector signMask(ByteVector code) {
        return (ByteVector) code.compare(VectorOperators.LT, ZERO).toVector();
    }

    /** Looks up entries by the low seven bits of {@code code}: the instruction ignores the sign. */
    private static ByteVector lookUp(ByteVector code, ByteVector first, ByteVector second, ByteVector sign) {
        return code.selectFrom(first, second).lanewise(VectorOperators.XOR, sign);
    }

    private static void store(ShortVector pairs, ShortVector odd, ByteVector high, short[] accumulators, int vector) {
        int to = 3 * vector * PAIRS;
        pairs.intoArray(accumulators, to);
        odd.intoArray(accumulators, to + PAIRS);
        high.reinterpretAsShorts().intoArray(accumulators, to + 2 * PAIRS);
    }

    private static void addTo(short[] accumulators, int vector, int[] out, int to) {
        int from = 3 * vector * PAIRS;
        separate(accumulators, from);
        for (int i = 0; i < LANES; i += INTS.length()) {
            add(accumulators, from + i, out, to + i);
        }
    }

    /** Makes the accumulators of a vector the 16-bit sums of its rows, in their order. */
    private static void separate(short[] accumulators, int from) {
        ShortVector pairs = ShortVector.fromArray(SHORTS, accumulators, from);
        ShortVector odd = ShortVector.fromArray(SHORTS, accumulators, from + PAIRS);
        ShortVector high = ShortVector.fromArray(SHORTS, accumulators, from + 2 * PAIRS);
        pairs.sub(odd.lanewise(VectorOperators.LSHL, BYTE_BITS))
                .add(high.lanewise(VectorOperators.LSHL, BYTE_BITS))
                .intoArray(accumulators, from);
        odd.add(high.and(HIGH_BYTE)).intoArray(accumulators, from + PAIRS);
    }

    private static void add(short[] sums, int from, int[] out, int to) {
        ShortVector narrow = ShortVector.fromArray(HALF_SHORTS, sums, from);
        IntVector.fromArray(INTS, out, to)
                .add((IntVector) narrow.convertShape(VectorOperators.S2I, INTS, 0))
                .intoArray(out, to);
    }
}
