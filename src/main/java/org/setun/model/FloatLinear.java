package org.setun.model;

import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.tensor.FloatMatrix;

/**
 * A linear layer with float weights: the output head of tied models, and layers that a checkpoint excludes from
 * quantisation.
 *
 * @param weights {@code [outputSize, inputSize]}
 * @param inputNorm the layer's own norm; null where it has none
 */
public record FloatLinear(FloatMatrix weights, @Nullable RmsNorm inputNorm) implements Linear {

    /** Rows that a worker takes at least, so that neighbours do not write to one cache line. */
    private static final int ROW_GRANULARITY = 16;

    /** What stays in a core's cache while one token after another reads it; a head is read from memory once a step then. */
    private static final int TILE_BYTES = 1 << 17;

    public FloatLinear {
        if (inputNorm != null && inputNorm.weight().length != weights.columns()) {
            throw new IllegalArgumentException(
                    "expected a norm of width " + weights.columns() + ", found " + inputNorm.weight().length);
        }
    }

    @Override
    public int inputSize() {
        return weights.columns();
    }

    @Override
    public int outputSize() {
        return weights.rows();
    }

    @Override
    public long weightBytes() {
        return weights.segment().byteSize();
    }

    @Override
    public void multiply(LinearInput input, int[] sums, float[] out, Kernels kernels) {
        multiply(input, null, input.tokens(), out, kernels);
        input.counter().weights(weightBytes(), weightBytes());
        input.counter().floats((long) outputSize() * inputSize());
    }

    /**
     * Multiplies some rows of a prepared input, uncounted.
     *
     * @param tokens which rows of the input and of {@code out}, {@code count} of them; null for the first ones
     */
    void multiply(LinearInput input, int @Nullable [] tokens, int count, float[] out, Kernels kernels) {
        int rows = weights.rows();
        int columns = weights.columns();
        int tileRows = Math.max(1, TILE_BYTES / (columns * weights.elementType().bytes()));
        kernels.workers().forRange(rows, ROW_GRANULARITY, (from, to) -> {
            for (int row = from; row < to; row += tileRows) {
                int end = Math.min(to, row + tileRows);
                for (int i = 0; i < count; i++) {
                    int token = tokens == null ? i : tokens[i];
                    kernels.matrices().multiply(weights, input.values(), token * columns, row, end, out, token * rows);
                }
            }
        });
    }
}
