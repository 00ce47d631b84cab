package org.setun.model;

import org.setun.kernel.FloatKernel;

/** What becomes of the scores of the experts that a head retrieved: the factors of their outputs. */
public enum Score {
    /** The softmax over the retrieved experts of a head. */
    SOFTMAX,
    /** {@code 1 / (1 + exp(-score))}. */
    SIGMOID,
    /** {@code max(0, score)}. */
    RELU;

    /**
     * Computes the gates of one head.
     *
     * @param scores {@code k} scores from {@code offset}
     * @param gates receives {@code k} gates from {@code offset}
     * @param scratch at least {@code k} values
     */
    void gates(float[] scores, int offset, int k, float[] gates, float[] scratch, FloatKernel floating) {
        System.arraycopy(scores, offset, scratch, 0, k);
        switch (this) {
            case SOFTMAX -> floating.softmax(scratch, 0, k, 1);
            case SIGMOID -> floating.sigmoid(scratch, 0, k);
            case RELU -> {
                for (int i = 0; i < k; i++) {
                    scratch[i] = Math.max(0, scratch[i]);
                }
            }
        }
        System.arraycopy(scratch, 0, gates, offset, k);
    }
}
