package org.setun.model;

/**
 * The sizes of a network that its callers need.
 *
 * @param vocabSize the number of token ids
 * @param hiddenSize the width of the residual stream
 * @param maxPositions the sequence length that the model was trained for; recurrent models run on beyond it
 */
public record ModelDimensions(int vocabSize, int hiddenSize, int maxPositions) {

    public ModelDimensions {
        if (vocabSize < 1 || hiddenSize < 1 || maxPositions < 1) {
            throw new IllegalArgumentException("sizes must be positive: vocabSize " + vocabSize + ", hiddenSize "
                    + hiddenSize + ", maxPositions " + maxPositions);
        }
    }
}
