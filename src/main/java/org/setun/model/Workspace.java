package org.setun.model;

/**
 * The buffers of forward passes, allocated once. Holds the logits of the last pass. For one thread at a time.
 */
public final class Workspace {

    private final int maxTokens;
    private final int maxLogitRows;
    private final int vocabSize;
    private final float[] logits;

    /**
     * Allocates buffers for batches of at most {@code maxTokens} tokens that want at most {@code maxLogitRows} rows of
     * logits.
     */
    public Workspace(ModelDimensions dimensions, int maxTokens, int maxLogitRows) {
        this.maxTokens = maxTokens;
        this.maxLogitRows = maxLogitRows;
        this.vocabSize = dimensions.vocabSize();
        this.logits = new float[Math.multiplyExact(maxLogitRows, vocabSize)];
    }

    /** Returns the most tokens that a batch may have. */
    public int maxTokens() {
        return maxTokens;
    }

    /** Returns the most rows of logits that a batch may want. */
    public int maxLogitRows() {
        return maxLogitRows;
    }

    /** Returns the logits of the last pass, {@code [maxLogitRows, vocab]}; row {@code r} starts at {@code r * vocab}. */
    public float[] logits() {
        return logits;
    }

    /** Returns where row {@code row} starts in {@link #logits}. */
    public int logitsOffset(int row) {
        return row * vocabSize;
    }
}
