package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The specification of {@link FloatKernel}: plain loops.
 *
 * <p>Sums have one order for every implementation: element {@code j} is added to partial sum {@code j % 64} by a fused
 * multiply-add, elements in ascending order, and the partial sums are then added in halves, {@code p[i] += p[i + h]} for
 * {@code h = 32, 16, 8, 4, 2, 1}. That is four vectors of 512 bits, or more of narrower ones, without a dependency among
 * them, and it is also more accurate than one running sum.
 *
 * <p>Numbers that are not finite: NaN stays NaN in every operation, and infinities behave as the formulas say. A row to
 * quantise that holds either gets codes 0 and a scale of NaN (NaN in the row) or 0 (infinity), so that a product rescaled by
 * it is NaN instead of a plausible number.
 */
final class ScalarFloatKernel implements FloatKernel {

    /** The number of interleaved partial sums. */
    static final int PARTIAL_SUMS = 64;

    /** The smallest unit of quantisation, so that a row of zeros has a finite scale. */
    static final float MIN_ABSMAX = 1e-5f;

    static final float MAX_CODE = 127;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public void rmsNorm(float[] x, int xOffset, int length, float[] weight, float epsilon, float[] out, int outOffset) {
        float factor = rmsFactor(dot(x, xOffset, x, xOffset, length), length, epsilon);
        scale(x, xOffset, 0, length, factor, weight, out, outOffset);
    }

    /** Multiplies elements {@code [from, to)} by {@code factor} and then by their weight. */
    static void scale(
            float[] x, int xOffset, int from, int to, float factor, float[] weight, float[] out, int outOffset) {
        for (int j = from; j < to; j++) {
            out[outOffset + j] = x[xOffset + j] * factor * weight[j];
        }
    }

    /** Returns {@code 1 / sqrt(sumOfSquares / length + epsilon)}, rounded once. */
    static float rmsFactor(float sumOfSquares, int length, float epsilon) {
        return (float) (1 / Math.sqrt((double) sumOfSquares / length + epsilon));
    }

    static float dot(float[] x, int xOffset, float[] y, int yOffset, int length) {
        float[] partials = new float[PARTIAL_SUMS];
        addProducts(x, xOffset, y, yOffset, 0, length, partials);
        return sum(partials);
    }

    /** Adds the products of elements {@code [from, to)} to their partial sums. */
    static void addProducts(float[] x, int xOffset, float[] y, int yOffset, int from, int to, float[] partials) {
        for (int j = from; j < to; j++) {
            partials[j % PARTIAL_SUMS] = Math.fma(x[xOffset + j], y[yOffset + j], partials[j % PARTIAL_SUMS]);
        }
    }

    /** Returns the total of the partial sums, which it overwrites. */
    static float sum(float[] partials) {
        for (int half = PARTIAL_SUMS / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                partials[i] += partials[i + half];
            }
        }
        return partials[0];
    }

    @Override
    public float quantize(float[] x, int xOffset, int length, byte[] codes, int codesOffset) {
        float max = MIN_ABSMAX;
        for (int j = 0; j < length; j++) {
            max = Math.max(max, Math.abs(x[xOffset + j]));
        }
        float scale = MAX_CODE / max;
        encode(x, xOffset, 0, length, scale, codes, codesOffset);
        return scale;
    }

    /** Writes the codes of elements {@code [from, to)}: zeros for a scale of 0 or NaN, which a row that is not finite has. */
    static void encode(float[] x, int xOffset, int from, int to, float scale, byte[] codes, int codesOffset) {
        for (int j = from; j < to; j++) {
            double code = scale > 0 ? Math.rint(x[xOffset + j] * scale) : 0;
            codes[codesOffset + j] = (byte) Math.clamp(code, -128, 127);
        }
    }

    @Override
    public void rescale(int[] sums, int sumsOffset, int length, float factor, float[] out, int outOffset) {
        for (int j = 0; j < length; j++) {
            out[outOffset + j] = sums[sumsOffset + j] * factor;
        }
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
        for (int j = 0; j < length; j++) {
            float scaled = sums[sumsOffset + j] * scales[scalesOffset + j];
            out[outOffset + j] = Math.fma(scaled, factor, out[outOffset + j]);
        }
    }

    @Override
    public void add(float[] x, int xOffset, int length, float[] accumulator, int accumulatorOffset) {
        for (int j = 0; j < length; j++) {
            accumulator[accumulatorOffset + j] += x[xOffset + j];
        }
    }

    @Override
    public void standardize(float[] x, int xOffset, int length, float epsilon) {
        float[] partials = new float[PARTIAL_SUMS];
        addValues(x, xOffset, 0, length, partials);
        float mean = mean(partials, length);
        subtract(x, xOffset, 0, length, mean);
        float factor = rmsFactor(dot(x, xOffset, x, xOffset, length), length, epsilon);
        multiply(x, xOffset, 0, length, factor);
    }

    /** Returns the mean of values from their partial sums, which it overwrites. */
    static float mean(float[] partials, int length) {
        return sum(partials) / length;
    }

    /** Subtracts {@code mean} from elements {@code [from, to)}. */
    static void subtract(float[] x, int offset, int from, int to, float mean) {
        for (int j = offset + from; j < offset + to; j++) {
            x[j] -= mean;
        }
    }

    /** Multiplies elements {@code [from, to)} by {@code factor}. */
    static void multiply(float[] x, int offset, int from, int to, float factor) {
        for (int j = offset + from; j < offset + to; j++) {
            x[j] *= factor;
        }
    }

    @Override
    public void affine(float[] x, int xOffset, int length, float[] weight, float[] bias, int weightOffset) {
        for (int j = 0; j < length; j++) {
            x[xOffset + j] = Math.fma(x[xOffset + j], weight[weightOffset + j], bias[weightOffset + j]);
        }
    }

    @Override
    public void sigmoid(float[] x, int xOffset, int length) {
        for (int j = xOffset; j < xOffset + length; j++) {
            x[j] = FloatFunctions.sigmoid(x[j]);
        }
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
        for (int j = 0; j < length; j++) {
            out[outOffset + j] = FloatFunctions.activate(activation, gate[gateOffset + j]) * up[upOffset + j];
        }
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
        for (int j = from; j < to; j++) {
            float candidate = FloatFunctions.silu(input[offset + j]);
            float f = FloatFunctions.sigmoid(forget[offset + j]);
            f = Math.fma(1 - lowerBound[j], f, lowerBound[j]);
            float h = Math.fma(f, state.getAtIndex(FLOAT, j), (1 - f) * candidate);
            state.setAtIndex(FLOAT, j, h);
            out[offset + j] = FloatFunctions.silu(h);
        }
    }

    @Override
    public void multiply(float[] x, int xOffset, int length, float[] accumulator, int accumulatorOffset) {
        for (int j = 0; j < length; j++) {
            accumulator[accumulatorOffset + j] *= x[xOffset + j];
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
        convolve(x, xOffset, weight, taps, history, channels, from, to, out, outOffset);
        siluAll(out, outOffset + from, to - from);
    }

    /** Replaces {@code length} values by their SiLU. */
    static void siluAll(float[] x, int offset, int length) {
        for (int j = offset; j < offset + length; j++) {
            x[j] = FloatFunctions.silu(x[j]);
        }
    }

    /** Computes the sums of {@link #causalConvolutionStep}, oldest tap first, and shifts the history. */
    static void convolve(
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
        for (int j = from; j < to; j++) {
            float newest = x[xOffset + j];
            float sum = 0;
            for (int k = 0; k < taps - 1; k++) {
                long at = (long) k * channels + j;
                float past = history.getAtIndex(FLOAT, at);
                sum = Math.fma(weight[j * taps + k], past, sum);
                history.setAtIndex(FLOAT, at, k < taps - 2 ? history.getAtIndex(FLOAT, at + channels) : newest);
            }
            out[outOffset + j] = Math.fma(weight[j * taps + taps - 1], newest, sum);
        }
    }

    @Override
    public void softmax(float[] x, int offset, int length, float scale) {
        float max = Float.NEGATIVE_INFINITY;
        for (int j = offset; j < offset + length; j++) {
            x[j] *= scale;
            max = Math.max(max, x[j]);
        }
        for (int j = offset; j < offset + length; j++) {
            x[j] = FloatFunctions.exp(x[j] - max);
        }
        float[] partials = new float[PARTIAL_SUMS];
        addValues(x, offset, 0, length, partials);
        multiply(x, offset, 0, length, 1 / sum(partials));
    }

    /** Adds elements {@code [from, to)} to their partial sums. */
    static void addValues(float[] x, int offset, int from, int to, float[] partials) {
        for (int j = from; j < to; j++) {
            partials[j % PARTIAL_SUMS] += x[offset + j];
        }
    }
}
