package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The float arithmetic with vectors, bit for bit that of {@link ScalarFloatKernel}, which also computes what is left behind the
 * last whole vector. Loops with an exponential have one each, as C2 keeps only small methods free of allocation.
 *
 * <p>Instances come from {@link VectorWidth#instance}.
 */
final class VectorFloatKernel implements FloatKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Float> FLOATS = VectorWidth.species(float.class, BITS);
    private static final VectorSpecies<Integer> INTS = VectorWidth.species(int.class, BITS);
    private static final int LANES = FLOATS.length();

    /** At least as many bytes as ints fit into a vector; there are no vectors of fewer than 64 bits. */
    private static final VectorSpecies<Byte> BYTES =
            VectorWidth.species(byte.class, Math.max(LANES * Byte.SIZE, Long.SIZE));

    /** Elements of one step of a sum: four vectors without a dependency among them. */
    private static final int STEP = 4 * LANES;

    private static final int PARTIAL_SUMS = ScalarFloatKernel.PARTIAL_SUMS;
    private static final int MAGNITUDE = 0x7fffffff;

    private static final ScalarFloatKernel SCALAR = new ScalarFloatKernel();

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public void rmsNorm(float[] x, int xOffset, int length, float[] weight, float epsilon, float[] out, int outOffset) {
        float factor = ScalarFloatKernel.rmsFactor(sumOfSquares(x, xOffset, length), length, epsilon);
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            load(x, xOffset + j).mul(factor).mul(load(weight, j)).intoArray(out, outOffset + j);
        }
        ScalarFloatKernel.scale(x, xOffset, bound, length, factor, weight, out, outOffset);
    }

    private static float sumOfSquares(float[] x, int offset, int length) {
        float[] partials = new float[PARTIAL_SUMS];
        int summed = length - length % PARTIAL_SUMS;
        for (int first = 0; first < PARTIAL_SUMS; first += STEP) {
            addSquares(x, offset + first, summed, partials, first);
        }
        ScalarFloatKernel.addProducts(x, offset, x, offset, summed, length, partials);
        return ScalarFloatKernel.sum(partials);
    }

    /** Fills the partial sums {@code [first, first + STEP)}. */
    private static void addSquares(float[] x, int offset, int length, float[] partials, int first) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int j = 0; j < length; j += PARTIAL_SUMS) {
            FloatVector x0 = load(x, offset + j);
            FloatVector x1 = load(x, offset + j + LANES);
            FloatVector x2 = load(x, offset + j + 2 * LANES);
            FloatVector x3 = load(x, offset + j + 3 * LANES);
            sum0 = x0.fma(x0, sum0);
            sum1 = x1.fma(x1, sum1);
            sum2 = x2.fma(x2, sum2);
            sum3 = x3.fma(x3, sum3);
        }
        store(partials, first, sum0, sum1, sum2, sum3);
    }

    @Override
    public float quantize(float[] x, int xOffset, int length, byte[] codes, int codesOffset) {
        float max = Math.max(ScalarFloatKernel.MIN_ABSMAX, absmax(x, xOffset, length));
        float scale = ScalarFloatKernel.MAX_CODE / max;
        int bound = 0;
        if (max <= Float.MAX_VALUE) {
            bound = length - Math.max(LANES, BYTES.length()) + 1;
            int j = 0;
            for (; j < bound; j += LANES) {
                // Magnitudes are at most 127 plus a rounding, so there is nothing to clamp. A vector of bytes may be
                // longer
                // than one of ints; the next one overwrites its end.
                codes(load(x, xOffset + j).mul(scale)).intoArray(codes, codesOffset + j);
            }
            bound = j;
        }
        ScalarFloatKernel.encode(x, xOffset, bound, length, scale, codes, codesOffset);
        return scale;
    }

    /** Returns the largest magnitude, NaN if there is one: as integers, the bits of floats are in that order. */
    private static float absmax(float[] x, int offset, int length) {
        IntVector max = IntVector.zero(INTS);
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            max = max.max(load(x, offset + j).reinterpretAsInts().and(MAGNITUDE));
        }
        int largest = max.reduceLanes(VectorOperators.MAX);
        for (int j = bound; j < length; j++) {
            largest = Math.max(largest, Float.floatToRawIntBits(x[offset + j]) & MAGNITUDE);
        }
        return Float.intBitsToFloat(largest);
    }

    private static ByteVector codes(FloatVector scaled) {
        return (ByteVector)
                scaled.add(FloatFunctions.ROUNDER).reinterpretAsInts().convertShape(VectorOperators.I2B, BYTES, 0);
    }

    @Override
    public void rescale(int[] sums, int sumsOffset, int length, float factor, float[] out, int outOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            FloatVector sum = (FloatVector)
                    IntVector.fromArray(INTS, sums, sumsOffset + j).convert(VectorOperators.I2F, 0);
            sum.mul(factor).intoArray(out, outOffset + j);
        }
        SCALAR.rescale(sums, sumsOffset + bound, length - bound, factor, out, outOffset + bound);
    }

    @Override
    public void addRescaled(
            int[] sums,
            int sumsOffset,
            int length,
            float[] scales,
            int scalesOffset,
            float factor,
            float[] out,
            int outOffset) {
        int bound = FLOATS.loopBound(length);
        FloatVector factors = FloatVector.broadcast(FLOATS, factor);
        for (int j = 0; j < bound; j += LANES) {
            FloatVector sum = (FloatVector)
                    IntVector.fromArray(INTS, sums, sumsOffset + j).convert(VectorOperators.I2F, 0);
            sum.mul(load(scales, scalesOffset + j))
                    .fma(factors, load(out, outOffset + j))
                    .intoArray(out, outOffset + j);
        }
        SCALAR.addRescaled(
                sums, sumsOffset + bound, length - bound, scales, scalesOffset + bound, factor, out, outOffset + bound);
    }

    @Override
    public void add(float[] x, int xOffset, int length, float[] accumulator, int accumulatorOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            load(accumulator, accumulatorOffset + j)
                    .add(load(x, xOffset + j))
                    .intoArray(accumulator, accumulatorOffset + j);
        }
        SCALAR.add(x, xOffset + bound, length - bound, accumulator, accumulatorOffset + bound);
    }

    @Override
    public void multiply(float[] x, int xOffset, int length, float[] accumulator, int accumulatorOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            load(accumulator, accumulatorOffset + j)
                    .mul(load(x, xOffset + j))
                    .intoArray(accumulator, accumulatorOffset + j);
        }
        SCALAR.multiply(x, xOffset + bound, length - bound, accumulator, accumulatorOffset + bound);
    }

    @Override
    public void standardize(float[] x, int xOffset, int length, float epsilon) {
        float[] partials = new float[PARTIAL_SUMS];
        addValues(x, xOffset, length, partials);
        float mean = ScalarFloatKernel.mean(partials, length);
        int bound = FLOATS.loopBound(length);
        for (int j = xOffset; j < xOffset + bound; j += LANES) {
            load(x, j).sub(mean).intoArray(x, j);
        }
        ScalarFloatKernel.subtract(x, xOffset, bound, length, mean);
        float factor = ScalarFloatKernel.rmsFactor(sumOfSquares(x, xOffset, length), length, epsilon);
        multiply(x, xOffset, length, factor);
    }

    private static void multiply(float[] x, int offset, int length, float factor) {
        int bound = FLOATS.loopBound(length);
        for (int j = offset; j < offset + bound; j += LANES) {
            load(x, j).mul(factor).intoArray(x, j);
        }
        ScalarFloatKernel.multiply(x, offset, bound, length, factor);
    }

    /** Adds {@code length} values to their partial sums. */
    private static void addValues(float[] x, int offset, int length, float[] partials) {
        int summed = length - length % PARTIAL_SUMS;
        for (int first = 0; first < PARTIAL_SUMS; first += LANES) {
            FloatVector sum = load(partials, first);
            for (int j = first; j < summed; j += PARTIAL_SUMS) {
                sum = sum.add(load(x, offset + j));
            }
            sum.intoArray(partials, first);
        }
        ScalarFloatKernel.addValues(x, offset, summed, length, partials);
    }

    @Override
    public void affine(float[] x, int xOffset, int length, float[] weight, float[] bias, int weightOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            load(x, xOffset + j)
                    .fma(load(weight, weightOffset + j), load(bias, weightOffset + j))
                    .intoArray(x, xOffset + j);
        }
        SCALAR.affine(x, xOffset + bound, length - bound, weight, bias, weightOffset + bound);
    }

    @Override
    public void sigmoid(float[] x, int xOffset, int length) {
        int bound = FLOATS.loopBound(length);
        for (int j = xOffset; j < xOffset + bound; j += LANES) {
            sigmoid(load(x, j)).intoArray(x, j);
        }
        SCALAR.sigmoid(x, xOffset + bound, length - bound);
    }

    @Override
    public void gate(
            Activation activation,
            float[] gate,
            int gateOffset,
            float[] up,
            int upOffset,
            int length,
            float[] out,
            int outOffset) {
        int bound = switch (activation) {
            case SILU -> gateSilu(gate, gateOffset, up, upOffset, length, out, outOffset);
            case RELU2 -> gateRelu2(gate, gateOffset, up, upOffset, length, out, outOffset);
            case RELU -> gateRelu(gate, gateOffset, up, upOffset, length, out, outOffset);
            // Needs double precision, and no published model of many gated elements uses it.
            case GELU -> 0;
        };
        SCALAR.gate(activation, gate, gateOffset + bound, up, upOffset + bound, length - bound, out, outOffset + bound);
    }

    private static int gateSilu(
            float[] gate, int gateOffset, float[] up, int upOffset, int length, float[] out, int outOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            silu(load(gate, gateOffset + j)).mul(load(up, upOffset + j)).intoArray(out, outOffset + j);
        }
        return bound;
    }

    private static int gateRelu2(
            float[] gate, int gateOffset, float[] up, int upOffset, int length, float[] out, int outOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            FloatVector positive = load(gate, gateOffset + j).max(0);
            positive.mul(positive).mul(load(up, upOffset + j)).intoArray(out, outOffset + j);
        }
        return bound;
    }

    private static int gateRelu(
            float[] gate, int gateOffset, float[] up, int upOffset, int length, float[] out, int outOffset) {
        int bound = FLOATS.loopBound(length);
        for (int j = 0; j < bound; j += LANES) {
            load(gate, gateOffset + j).max(0).mul(load(up, upOffset + j)).intoArray(out, outOffset + j);
        }
        return bound;
    }

    @Override
    public void mlgruStep(
            float[] input,
            float[] forget,
            int offset,
            float[] lowerBound,
            MemorySegment state,
            int from,
            int to,
            float[] out) {
        int bound = from + FLOATS.loopBound(to - from);
        siluAll(input, offset + from, bound - from, out, offset + from);
        recur(forget, offset, lowerBound, state, from, bound, out);
        siluAll(out, offset + from, bound - from, out, offset + from);
        SCALAR.mlgruStep(input, forget, offset, lowerBound, state, bound, to, out);
    }

    /** Computes {@code out_j = silu(x_j)} for a whole number of vectors. */
    private static void siluAll(float[] x, int xOffset, int length, float[] out, int outOffset) {
        for (int j = 0; j < length; j += LANES) {
            // Written out, as in exp: the recurrence is too long for C2 to inline silu() here.
            FloatVector v = load(x, xOffset + j);
            v.div(exp(v.neg()).add(1)).intoArray(out, outOffset + j);
        }
    }

    /** Advances the state by the candidates in {@code out}, which then holds the state, for a whole number of vectors. */
    private static void recur(
            float[] forget, int offset, float[] lowerBound, MemorySegment state, int from, int to, float[] out) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1);
        for (int j = from; j < to; j += LANES) {
            FloatVector lower = load(lowerBound, j);
            FloatVector sigmoid = one.div(exp(load(forget, offset + j).neg()).add(1));
            FloatVector f = one.sub(lower).fma(sigmoid, lower);
            long at = (long) j * Float.BYTES;
            FloatVector before = FloatVector.fromMemorySegment(FLOATS, state, at, ByteOrder.nativeOrder());
            FloatVector h = f.fma(before, one.sub(f).mul(load(out, offset + j)));
            h.intoMemorySegment(state, at, ByteOrder.nativeOrder());
            h.intoArray(out, offset + j);
        }
    }

    @Override
    public void causalConvolutionStep(
            float[] x,
            int xOffset,
            float[] weight,
            int taps,
            MemorySegment history,
            int channels,
            int from,
            int to,
            float[] out,
            int outOffset) {
        // A channel's taps lie side by side, so that its sum is a scalar loop: a few operations beside a projection's
        // thousands.
        ScalarFloatKernel.convolve(x, xOffset, weight, taps, history, channels, from, to, out, outOffset);
        int bound = from + FLOATS.loopBound(to - from);
        siluAll(out, outOffset + from, bound - from, out, outOffset + from);
        ScalarFloatKernel.siluAll(out, outOffset + bound, to - bound);
    }

    @Override
    public void softmax(float[] x, int offset, int length, float scale) {
        int bound = FLOATS.loopBound(length);
        float max = scaled(x, offset, bound, scale);
        for (int j = offset + bound; j < offset + length; j++) {
            x[j] *= scale;
            max = Math.max(max, x[j]);
        }
        expAll(x, offset, bound, max);
        for (int j = offset + bound; j < offset + length; j++) {
            x[j] = FloatFunctions.exp(x[j] - max);
        }
        float[] partials = new float[PARTIAL_SUMS];
        addValues(x, offset, length, partials);
        multiply(x, offset, length, 1 / ScalarFloatKernel.sum(partials));
    }

    /** Multiplies a whole number of vectors by {@code scale}, and returns the largest product. */
    private static float scaled(float[] x, int offset, int length, float scale) {
        FloatVector max = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int j = offset; j < offset + length; j += LANES) {
            FloatVector product = load(x, j).mul(scale);
            product.intoArray(x, j);
            max = max.max(product);
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** Replaces a whole number of vectors by {@code exp(x_j - max)}. */
    private static void expAll(float[] x, int offset, int length, float max) {
        for (int j = offset; j < offset + length; j += LANES) {
            exp(load(x, j).sub(max)).intoArray(x, j);
        }
    }

    private static FloatVector load(float[] x, int at) {
        return FloatVector.fromArray(FLOATS, x, at);
    }

    private static void store(
            float[] partials, int first, FloatVector sum0, FloatVector sum1, FloatVector sum2, FloatVector sum3) {
        sum0.intoArray(partials, first);
        sum1.intoArray(partials, first + LANES);
        sum2.intoArray(partials, first + 2 * LANES);
        sum3.intoArray(partials, first + 3 * LANES);
    }

    private static FloatVector sigmoid(FloatVector x) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1);
        return one.div(exp(x.neg()).add(1));
    }

    private static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1));
    }

    /** Computes {@link FloatFunctions#exp(float)} in every lane. */
    private static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(FloatFunctions.EXP_MIN).min(FloatFunctions.EXP_MAX);
        FloatVector rounded = clamped.fma(FloatFunctions.LOG2_E, FloatFunctions.ROUNDER);
        FloatVector n = rounded.sub(FloatFunctions.ROUNDER);
        FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -FloatFunctions.LN2_HIGH), clamped);
        r = n.fma(FloatVector.broadcast(FLOATS, -FloatFunctions.LN2_LOW), r);
        FloatVector p = r.fma(FloatFunctions.EXP_4, FloatFunctions.EXP_3);
        p = p.fma(r, FloatVector.broadcast(FLOATS, FloatFunctions.EXP_2));
        p = p.fma(r, FloatVector.broadcast(FLOATS, FloatFunctions.EXP_1));
        p = p.fma(r, FloatVector.broadcast(FLOATS, FloatFunctions.EXP_0));
        p = p.fma(r.mul(r), r).add(1);
        IntVector exponent = rounded.reinterpretAsInts().sub(Float.floatToRawIntBits(FloatFunctions.ROUNDER));
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        IntVector rest = exponent.sub(half);
        // Written out: a method of its own is not inlined everywhere, and then its vectors are boxed.
        FloatVector first = half.add(FloatFunctions.EXPONENT_BIAS)
                .lanewise(VectorOperators.LSHL, FloatFunctions.MANTISSA_BITS)
                .reinterpretAsFloats();
        FloatVector second = rest.add(FloatFunctions.EXPONENT_BIAS)
                .lanewise(VectorOperators.LSHL, FloatFunctions.MANTISSA_BITS)
                .reinterpretAsFloats();
        return p.mul(first).mul(second);
    }
}
