package org.setun.model;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.tensor.ElementType;
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

    /** Tokens that have a tile's weights widened to floats once for all of them, rather than for each. */
    private static final int WIDENING_TOKENS = 32;

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
    }

    /**
     * Multiplies some rows of a prepared input.
     *
     * @param tokens which rows of the input and of {@code out}, {@code count} of them; null for the first ones
     */
    void multiply(LinearInput input, int @Nullable [] tokens, int count, float[] out, Kernels kernels) {
        int rows = weights.rows();
        int columns = weights.columns();
        boolean widen = count >= WIDENING_TOKENS && weights.elementType() != ElementType.F32;
        int bytes = widen ? Float.BYTES : weights.elementType().bytes();
        int tileRows = Math.max(1, TILE_BYTES / (columns * bytes));
        kernels.workers().forRange(rows, ROW_GRANULARITY, (from, to) -> {
            for (int row = from; row < to; row += tileRows) {
                int end = Math.min(to, row + tileRows);
                FloatMatrix tile = widen ? widened(row, end) : weights;
                int first = widen ? row : 0;
                for (int i = 0; i < count; i++) {
                    int token = tokens == null ? i : tokens[i];
                    kernels.matrices()
                            .multiply(
                                    tile,
                                    input.values(),
                                    token * columns,
                                    row - first,
                                    end - first,
                                    out,
                                    token * rows + first);
                }
            }
        });
    }

    /** Returns rows {@code [from, to)} as float32, which changes no product: every type widens without rounding. */
    private FloatMatrix widened(int from, int to) {
        int columns = weights.columns();
        float[] values = new float[(to - from) * columns];
        for (int row = from; row < to; row++) {
            weights.readRow(row, values, (row - from) * columns);
        }
        return new FloatMatrix(to - from, columns, ElementType.F32, MemorySegment.ofArray(values));
    }
}
