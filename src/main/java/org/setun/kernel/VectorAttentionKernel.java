package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.ElementType;

/**
 * Attention over pages with vectors, bit for bit that of {@link ScalarAttentionKernel}. A vector of keys or values, once loaded, serves
 * four queries; a query alone takes two vectors at a time where it can. More in one loop is too much for C2 where halves are widened: it would
 * allocate an object for each vector.
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

    /** At least as many bytes as floats fit into a vector; there are no vectors of fewer than 64 bits. */
    private static final VectorSpecies<Byte> BYTES =
            VectorWidth.species(byte.class, Math.max(LANES * Byte.SIZE, Long.SIZE));

    private static final VectorMask<Byte> FIRST_BYTES = BYTES.indexInRange(0, LANES);

    /** What one query takes at a time: two vectors without a dependency, or one where widening it is most of the work. */
    private static final int STEP = TYPE == ElementType.F16 ? LANES : 2 * LANES;

    private static final long ELEMENT_BYTES = TYPE.bytes();
    private static final long VECTOR_BYTES = LANES * ELEMENT_BYTES;

    private static final int HALF_MAGNITUDE = 0x7fff;
    private static final int HALF_INFINITY = 0x7c00;
    private static final int HALF_SHIFT = 13;
    private static final int INFINITY = 0x7f800000;

    /** What a half's exponent bias of 15 lacks to 127. */
    private static final float HALF_SCALE = 0x1p112f;

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
        if (count == TILE) {
            for (int t = 0; t < PAGE_TOKENS; t += LANES) {
                fourScores(page, at + t * ELEMENT_BYTES, width, queries, scores, tile, t);
            }
            return;
        }
        for (int q = 0; q < count; q++) {
            for (int t = 0; t < PAGE_TOKENS; t += STEP) {
                long first = at + t * ELEMENT_BYTES;
                if (STEP == LANES) {
                    narrowScore(page, first, width, queries, tile.heads()[q], scores, tile.numbers()[q] + t);
                } else {
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
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int d = 0; d < width; d++) {
            FloatVector key = load(page, at);
            sum0 = key.fma(FloatVector.broadcast(FLOATS, queries[x0 + d]), sum0);
            sum1 = key.fma(FloatVector.broadcast(FLOATS, queries[x1 + d]), sum1);
            sum2 = key.fma(FloatVector.broadcast(FLOATS, queries[x2 + d]), sum2);
            sum3 = key.fma(FloatVector.broadcast(FLOATS, queries[x3 + d]), sum3);
            at += PAGE_TOKENS * ELEMENT_BYTES;
        }
        sum0.intoArray(scores, tile.numbers()[0] + to);
        sum1.intoArray(scores, tile.numbers()[1] + to);
        sum2.intoArray(scores, tile.numbers()[2] + to);
        sum3.intoArray(scores, tile.numbers()[3] + to);
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

    private static void narrowScore(
            MemorySegment page, long at, int width, float[] queries, int x, float[] scores, int to) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int d = 0; d < width; d++) {
            sum = load(page, at).fma(FloatVector.broadcast(FLOATS, queries[x + d]), sum);
            at += PAGE_TOKENS * ELEMENT_BYTES;
        }
        sum.intoArray(scores, to);
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
        int step = count == TILE ? LANES : STEP;
        int bound = width - width % step;
        for (int d = 0; d < bound; d += step) {
            long from = at + ((long) fromToken * width + d) * ELEMENT_BYTES;
            if (count == TILE) {
                fourSums(page, from, width, weights, sums, tile, d, fromToken, toToken);
            } else {
                for (int q = first; q < first + count; q++) {
                    int fromWeight = tile.numbers()[q] + fromToken;
                    int toWeight = tile.numbers()[q] + toToken;
                    int to = tile.heads()[q] + d;
                    if (STEP == LANES) {
                        narrowSum(page, from, width, weights, fromWeight, toWeight, sums, to);
                    } else {
                        oneSum(page, from, width, weights, fromWeight, toWeight, sums, to);
                    }
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
        FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, tile.heads()[0] + dimension);
        FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, tile.heads()[1] + dimension);
        FloatVector sum2 = FloatVector.fromArray(FLOATS, sums, tile.heads()[2] + dimension);
        FloatVector sum3 = FloatVector.fromArray(FLOATS, sums, tile.heads()[3] + dimension);
        for (int t = fromToken; t < toToken; t++) {
            FloatVector value = load(page, at);
            sum0 = value.fma(FloatVector.broadcast(FLOATS, weights[w0 + t]), sum0);
            sum1 = value.fma(FloatVector.broadcast(FLOATS, weights[w1 + t]), sum1);
            sum2 = value.fma(FloatVector.broadcast(FLOATS, weights[w2 + t]), sum2);
            sum3 = value.fma(FloatVector.broadcast(FLOATS, weights[w3 + t]), sum3);
            at += width * ELEMENT_BYTES;
        }
        sum0.intoArray(sums, tile.heads()[0] + dimension);
        sum1.intoArray(sums, tile.heads()[1] + dimension);
        sum2.intoArray(sums, tile.heads()[2] + dimension);
        sum3.intoArray(sums, tile.heads()[3] + dimension);
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

    private static void narrowSum(
            MemorySegment page,
            long at,
            int width,
            float[] weights,
            int fromWeight,
            int toWeight,
            float[] sums,
            int to) {
        FloatVector sum = FloatVector.fromArray(FLOATS, sums, to);
        for (int w = fromWeight; w < toWeight; w++) {
            sum = load(page, at).fma(FloatVector.broadcast(FLOATS, weights[w]), sum);
            at += width * ELEMENT_BYTES;
        }
        sum.intoArray(sums, to);
    }

    private static void store(float[] to, int at, FloatVector first, FloatVector second) {
        first.intoArray(to, at);
        second.intoArray(to, at + LANES);
    }

    /** Loads a vector of stored elements; the type is a constant, so that one of the branches is all that is compiled. */
    private static FloatVector load(MemorySegment page, long at) {
        return switch (TYPE) {
            case F32 -> FloatVector.fromMemorySegment(FLOATS, page, at, ByteOrder.LITTLE_ENDIAN);
            case F16 -> f16(page, at);
            default -> i8(page, at);
        };
    }

    private static FloatVector i8(MemorySegment from, long at) {
        // The smallest byte vector is longer than a 128-bit one has lanes, and must not read beyond the row.
        ByteVector bytes = LANES == BYTES.length()
                ? ByteVector.fromMemorySegment(BYTES, from, at, ByteOrder.LITTLE_ENDIAN)
                : ByteVector.fromMemorySegment(BYTES, from, at, ByteOrder.LITTLE_ENDIAN, FIRST_BYTES);
        return (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0);
    }

    private static IntVector sixteenBits(MemorySegment from, long at) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, from, at, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, INTS, 0);
    }

    /** Widens halves: their exponents are raised by a multiplication, which is exact and normalises subnormal numbers. */
    private static FloatVector f16(MemorySegment from, long at) {
        IntVector half = sixteenBits(from, at);
        IntVector magnitude = half.and(HALF_MAGNITUDE);
        IntVector shifted = magnitude.lanewise(VectorOperators.LSHL, HALF_SHIFT);
        IntVector finite = shifted.reinterpretAsFloats().mul(HALF_SCALE).reinterpretAsInts();
        IntVector widened = finite.blend(shifted.or(INFINITY), magnitude.compare(VectorOperators.GE, HALF_INFINITY));
        return widened.or(half.and(Integer.MIN_VALUE)).reinterpretAsFloats();
    }
}
