package org.setun.engine;

/**
 * The mean of a sequence's hidden states, added in the order of its tokens, so that it does not depend on how the sequence was cut
 * into chunks.
 */
final class MeanPool {

    private final double[] sums;
    private int count;

    MeanPool(int hiddenSize) {
        this.sums = new double[hiddenSize];
    }

    /** Adds {@code count} rows of {@code hidden}, the first of which starts at {@code offset}. */
    void add(float[] hidden, int offset, int count) {
        for (int row = 0; row < count; row++) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += hidden[offset + row * sums.length + i];
            }
        }
        this.count += count;
    }

    /** Returns the mean of all rows so far, of which there is at least one. */
    float[] mean() {
        float[] mean = new float[sums.length];
        for (int i = 0; i < sums.length; i++) {
            mean[i] = (float) (sums[i] / count);
        }
        return mean;
    }
}
