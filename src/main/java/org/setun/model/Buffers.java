package org.setun.model;

/** The scratch memory of a forward pass, shared by all layers one after the other. */
final class Buffers {

    private final float[] residual;
    private final float[] normed;
    private final float[] first;
    private final float[] second;
    private final float[] third;
    private final float[] output;
    private final int[] sums;
    private final LinearInput linearInput;
    private final ExpertBuffers experts;
    private final RopeTurns ropeTurns;

    /**
     * Allocates for a network.
     *
     * @param maxTokens the most tokens of a batch
     * @param maxLogitRows the most rows of logits of a batch
     * @param hiddenSize the width of the residual stream
     * @param maxWidth the widest input or output of any layer but the head
     * @param vocabSize the width of the head's output
     * @param experts those of layers with retrieved experts
     * @param counter what counts
     */
    Buffers(
            int maxTokens,
            int maxLogitRows,
            int hiddenSize,
            int maxWidth,
            int vocabSize,
            ExpertBuffers experts,
            PassCounter counter) {
        this.residual = new float[Math.multiplyExact(maxTokens, hiddenSize)];
        this.normed = new float[residual.length];
        this.output = new float[residual.length];
        int wide = Math.multiplyExact(maxTokens, maxWidth);
        this.first = new float[wide];
        this.second = new float[wide];
        this.third = new float[wide];
        this.sums = new int[Math.max(wide, Math.multiplyExact(maxLogitRows, vocabSize))];
        this.linearInput = new LinearInput(maxTokens, maxWidth, counter);
        this.experts = experts;
        this.ropeTurns = new RopeTurns(maxTokens);
    }

    /** Returns the residual stream, {@code [tokens, hidden]}. */
    float[] residual() {
        return residual;
    }

    /** Returns the normed input of a mixer, {@code [tokens, hidden]}. */
    float[] normed() {
        return normed;
    }

    /** Returns the output of a mixer, {@code [tokens, hidden]}. */
    float[] output() {
        return output;
    }

    /** Returns scratch of {@code [tokens, maxWidth]} for the mixer at work. */
    float[] first() {
        return first;
    }

    /** Returns more scratch of {@code [tokens, maxWidth]} for the mixer at work. */
    float[] second() {
        return second;
    }

    /** Returns still more scratch of {@code [tokens, maxWidth]} for the mixer at work. */
    float[] third() {
        return third;
    }

    /** Returns the integer sums of the ternary product at work. */
    int[] sums() {
        return sums;
    }

    /** Returns the input of the linear layer at work. */
    LinearInput linearInput() {
        return linearInput;
    }

    /** Returns the rotary turns of the batch at work. */
    RopeTurns ropeTurns() {
        return ropeTurns;
    }

    /** Returns the scratch memory of layers with retrieved experts. */
    ExpertBuffers experts() {
        return experts;
    }
}
