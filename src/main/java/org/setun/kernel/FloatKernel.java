package org.setun.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The float32 arithmetic around the ternary products. Every operation works on one token or on an element range of one, so
 * that a result cannot depend on the batch; every sum has one fixed order, the same for all implementations and vector
 * widths (see {@link ScalarFloatKernel}), so that all of them agree to the bit.
 *
 * <p>Implementations are stateless and may be called by several threads. Offsets and lengths count floats.
 */
public interface FloatKernel {

    /** Returns a short name for logs, such as {@code vector-512}. */
    String name();

    /**
     * Normalises by the root mean square: {@code out_j = x_j / sqrt(mean(x^2) + epsilon) * weight_j} for {@code length}
     * values of {@code x} from {@code xOffset}. {@code out} may be {@code x}.
     */
    void rmsNorm(float[] x, int xOffset, int length, float[] weight, float epsilon, float[] out, int outOffset);

    /**
     * Quantises to int8 with the largest magnitude as unit: {@code s = 127 / max(max|x|, 1e-5)}, {@code code_j =
     * clamp(rint(x_j * s), -128, 127)}, halves to even.
     *
     * @return {@code s}
     */
    float quantize(float[] x, int xOffset, int length, byte[] codes, int codesOffset);

    /** Rescales integer sums: {@code out_j = (float) sums_j * factor}. */
    void rescale(int[] sums, int sumsOffset, int length, float factor, float[] out, int outOffset);

    /**
     * Adds rescaled integer sums: {@code out_j += ((float) sums_j * scales_j) * factor}, the last product and the addition
     * rounded once.
     */
    void addRescaled(
            int[] sums,
            int sumsOffset,
            int length,
            float[] scales,
            int scalesOffset,
            float factor,
            float[] out,
            int outOffset);

    /** Adds {@code x} to {@code accumulator}, element by element. */
    void add(float[] x, int xOffset, int length, float[] accumulator, int accumulatorOffset);

    /**
     * Gives {@code length} values mean 0 and variance 1, in place: {@code x_j = (x_j - mean(x)) / sqrt(variance(x) + epsilon)}, the
     * variance being the mean square of the differences.
     *
     * @param length at least 1
     */
    void standardize(float[] x, int xOffset, int length, float epsilon);

    /** Computes {@code x_j = x_j * weight_j + bias_j} in place, a fused multiply-add each; weight and bias share an offset. */
    void affine(float[] x, int xOffset, int length, float[] weight, float[] bias, int weightOffset);

    /** Replaces {@code length} values by their sigmoid: {@code x_j = 1 / (1 + exp(-x_j))}. */
    void sigmoid(float[] x, int xOffset, int length);

    /** Computes {@code out_j = activation(gate_j) * up_j}. {@code out} may be {@code gate} or {@code up}. */
    void gate(
            Activation activation,
            float[] gate,
            int gateOffset,
            float[] up,
            int upOffset,
            int length,
            float[] out,
            int outOffset);

    /**
     * Advances the MLGRU recurrence by one token for channels {@code [from, to)}:
     *
     * <pre>
     * f = sigmoid(forget_j);   f = lowerBound_j + (1 - lowerBound_j) * f
     * h_j = f * h_j + (1 - f) * silu(input_j)
     * out_j = h_j * sigmoid(h_j)
     * </pre>
     *
     * @param input pre-activations of the input gate, token's row at {@code offset}
     * @param forget pre-activations of the forget gate, token's row at {@code offset}
     * @param lowerBound {@code [channels]}, zeros where a layer has none
     * @param state {@code h}, {@code [channels]} native-order floats, 64-byte aligned or not; updated in place
     * @param out token's row at {@code offset}; may be {@code input}
     */
    void mlgruStep(
            float[] input,
            float[] forget,
            int offset,
            float[] lowerBound,
            MemorySegment state,
            int from,
            int to,
            float[] out);

    /** Multiplies {@code accumulator} by {@code x}, element by element. */
    void multiply(float[] x, int xOffset, int length, float[] accumulator, int accumulatorOffset);

    /**
     * Computes a causal depthwise convolution of one token followed by SiLU, for channels {@code [from, to)}, and shifts the
     * history: {@code out_j = silu(sum_{k<K-1} weight[j, k] * history[k, j] + weight[j, K-1] * x_j)}.
     *
     * @param weight {@code [channels, K]}
     * @param taps K, at least 1
     * @param history the last K-1 inputs, oldest first, {@code [K-1, channels]} native-order floats; updated in place
     * @param channels the width of a row of {@code history}
     */
    void causalConvolutionStep(
            float[] x,
            int xOffset,
            float[] weight,
            int taps,
            MemorySegment history,
            int channels,
            int from,
            int to,
            float[] out,
            int outOffset);

    /**
     * Replaces {@code length} values from {@code offset} by their softmax: {@code x_j = exp(scale * x_j - m) / sum_i exp(scale * x_i - m)} with
     * {@code m} the largest {@code scale * x_i}.
     *
     * @param length at least 1
     */
    void softmax(float[] x, int offset, int length, float scale);
}
