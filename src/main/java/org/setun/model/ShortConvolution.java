package org.setun.model;

/**
 * The causal depthwise convolution in front of an MLGRU's gates, followed by SiLU.
 */
public sealed interface ShortConvolution {

    /** Returns the number of taps K; the last one multiplies the current token. */
    int taps();

    /**
     * One convolution on the mixer's input, which then feeds all three projections.
     *
     * @param taps K
     * @param weight {@code [hidden, K]}
     */
    record Shared(int taps, float[] weight) implements ShortConvolution {}

    /**
     * Two convolutions, on the outputs of the input and the forget projection.
     *
     * @param taps K
     * @param input {@code [width, K]}
     * @param forget {@code [width, K]}
     */
    record Separate(int taps, float[] input, float[] forget) implements ShortConvolution {}
}
