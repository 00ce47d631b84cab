package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.ElementType;

/**
 * Attention over pages with vectors, bit for bit that of {@link ScalarAttentionKernel}. Two vectors of keys or values, once loaded,
 * serve up to four queries.
 *
 * <p>Instances come from {@link VectorWidth#instance(Class, Class, int, ElementType)}.
 */
final class VectorAttentionKernel implements AttentionKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final ElementType TYPE = VectorWidth.elementType(MethodHandles.lookup());
    private static final VectorSpecies<Float> FLOATS = VectorWidth.species(float.class, BITS);
    private static final VectorSpecies<Integer> INTS = VectorWidth.species(int.class, BITS);
    private static final VectorSpecies<Short> SHORTS = VectorWidth.species(short.class, BITS / 2);
    private static final int LANES = FLOATS.length();

    private static final VectorSpecies<Byte> BYTES = VectorLoads.bytes(FLOATS);
    private static final VectorMask<Byte> FIRST_BYTES = BYTES.indexInRange(0, LANES);

    /** What two vectors hold. */
    private static final int PAIR = 2 * LANES;

    private static final long ELEMENT_BYTES = TYPE.bytes();
    private static final long VECTOR_BYTES = LANES * ELEMENT_BYTES;

    private static final ScalarAttentionKernel SCALAR = new ScalarAttentionKernel(TYPE);

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public ElementType elementType() {
        return TYPE;
    }

    @Override
    public void scores(MemorySegment page, long at, int width, float[] queries, float[] scores, Tile tile, int count) {
        for (int t = 0; t < PAGE_TOKENS; t += PAIR) {
            long first = at + t * ELEMENT_BYTES;
            if (count == TILE) {
                fourScores(page, first, width, queries, scores, tile, t);
            } else {
                for (int q = 0; q < count; q++) {
                    oneScore(page, first, width, queries, tile.heads()[q], scores, tile.numbers()[q] + t);
                }
            }
        }
    }

    private static void fourScores(
            MemorySegment page, long at, int width, float[] queries, float[] scores, Tile tile, int to) {
        int x0 = tile.heads()[0];
        int x1 = tile.heads()[1];
        int x2 = tile.heads()[2];
        int x3 = tile.heads()[3];
        FloatVector sum00 = FloatVector.zero(FLOATS);
        FloatVector sum01 = sum00;
        FloatVector sum10 = sum00;
        FloatVector sum11 = sum00;
        FloatVector sum20 = sum00;
        FloatVector sum21 = sum00;
        FloatVector sum30 = sum00;
        FloatVector sum31 = sum00;
        for (int d = 0; d < width; d++) {
            FloatVector key0 = load(page, at);
            FloatVector key1 = load(page, at + VECTOR_BYTES);
            FloatVector query = FloatVector.broadcast(FLOATS, queries[x0 + d]);
            sum00 = key0.fma(query, sum00);
            sum01 = key1.fma(query, sum01);
            query = FloatVector.broadcast(FLOATS, queries[x1 + d]);
            sum10 = key0.fma(query, sum10);
            sum11 = key1.fma(query, sum11);
            query = FloatVector.broadcast(FLOATS, queries[x2 + d]);
            sum20 = key0.fma(query, sum20);
            sum21 = key1.fma(query, sum21);
            query = FloatVector.broadcast(FLOATS, queries[x3 + d]);
            sum30 = key0.fma(query, sum30);
            sum31 = key1.fma(query, sum31);
            at += PAGE_TOKENS * ELEMENT_BYTES;
        }
        store(scores, tile.numbers()[0] + to, sum00, sum01);
        store(scores, tile.numbers()[1] + to, sum10, sum11);
        store(scores, tile.numbers()[2] + to, sum20, sum21);
        store(scores, tile.numbers()[3] + to, sum30, sum31);
    }

    private static void oneScore(
            MemorySegment page, long at, int width, float[] queries, int x, float[] scores, int to) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        for (int d = 0; d < width; d++) {
            FloatVector query = FloatVector.broadcast(FLOATS, queries[x + d]);
            sum0 = load(page, at).fma(query, sum0);
            sum1 = load(page, at + VECTOR_BYTES).fma(query, sum1);
            at += PAGE_TOKENS * ELEMENT_BYTES;
        }
        store(scores, to, sum0, sum1);
    }

    @Override
    public void addValues(
            MemorySegment page,
            long at,
            int width,
            float[] weights,
            float[] sums,
            Tile tile,
            int first,
            int count,
            int fromToken,
            int toToken) {
        int bound = width - width % PAIR;
        for (int d = 0; d < bound; d += PAIR) {
            long from = at + ((long) fromToken * width + d) * ELEMENT_BYTES;
            if (count == TILE) {
                fourSums(page, from, width, weights, sums, tile, d, fromToken, toToken);
            } else {
                for (int q = first; q < first + count; q++) {
                    int numbers = tile.numbers()[q];
                    oneSum(
                            page,
                            from,
                            width,
                            weights,
                            numbers + fromToken,
                            numbers + toToken,
                            sums,
                            tile.heads()[q] + d);
                }
            }
        }
        if (bound < width) {
            SCALAR.addValues(page, at, width, bound, weights, sums, tile, first, count, fromToken, toToken);
        }
    }

    private static void fourSums(
            MemorySegment page,
            long at,
            int width,
            float[] weights,
            float[] sums,
            Tile tile,
            int dimension,
            int fromToken,
            int toToken) {
        int w0 = tile.numbers()[0];
        int w1 = tile.numbers()[1];
        int w2 = tile.numbers()[2];
        int w3 = tile.numbers()[3];
        int to0 = tile.heads()[0] + dimension;
        int to1 = tile.heads()[1] + dimension;
        int to2 = tile.heads()[2] + dimension;
        int to3 = tile.heads()[3] + dimension;
        FloatVector sum00 = FloatVector.fromArray(FLOATS, sums, to0);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, sums, to0 + LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, sums, to1);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, sums, to1 + LANES);
        FloatVector sum20 = FloatVector.fromArray(FLOATS, sums, to2);
        FloatVector sum21 = FloatVector.fromArray(FLOATS, sums, to2 + LANES);
        FloatVector sum30 = FloatVector.fromArray(FLOATS, sums, to3);
        FloatVector sum31 = FloatVector.fromArray(FLOATS, sums, to3 + LANES);
        for (int t = fromToken; t < toToken; t++) {
            FloatVector value0 = load(page, at);
            FloatVector value1 = load(page, at + VECTOR_BYTES);
            FloatVector weight = FloatVector.broadcast(FLOATS, weights[w0 + t]);
            sum00 = value0.fma(weight, sum00);
            sum01 = value1.fma(weight, sum01);
            weight = FloatVector.broadcast(FLOATS, weights[w1 + t]);
            sum10 = value0.fma(weight, sum10);
            sum11 = value1.fma(weight, sum11);
            weight = FloatVector.broadcast(FLOATS, weights[w2 + t]);
            sum20 = value0.fma(weight, sum20);
            sum21 = value1.fma(weight, sum21);
            weight = FloatVector.broadcast(FLOATS, weights[w3 + t]);
            sum30 = value0.fma(weight, sum30);
            sum31 = value1.fma(weight, sum31);
            at += width * ELEMENT_BYTES;
        }
        store(sums, to0, sum00, sum01);
        store(sums, to1, sum10, sum11);
        store(sums, to2, sum20, sum21);
        store(sums, to3, sum30, sum31);
    }

    private static void oneSum(
            MemorySegment page,
            long at,
            int width,
            float[] weights,
            int fromWeight,
            int toWeight,
            float[] sums,
            int to) {
        FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, to);
        FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, to + LANES);
        for (int w = fromWeight; w < toWeight; w++) {
            FloatVector weight = FloatVector.broadcast(FLOATS, weights[w]);
            sum0 = load(page, at).fma(weight, sum0);
            sum1 = load(page, at + VECTOR_BYTES).fma(weight, sum1);
            at += width * ELEMENT_BYTES;
        }
        store(sums, to, sum0, sum1);
    }

    private static void store(float[] to, int at, FloatVector first, FloatVector second) {
        first.intoArray(to, at);
        second.intoArray(to, at + LANES);
    }

    /** Loads a vector of stored elements; the type is a constant, so that one of the branches is all that is compiled. */
    private static FloatVector load(MemorySegment page, long at) {
        return switch (TYPE) {
            case F32 -> VectorLoads.f32(FLOATS, page, at);
            case F16 -> VectorLoads.f16(SHORTS, INTS, page, at);
            default -> VectorLoads.i8(BYTES, FIRST_BYTES, FLOATS, page, at);
        };
    }
}
