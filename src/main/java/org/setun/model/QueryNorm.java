package org.setun.model;

import org.setun.kernel.Kernels;

/** What becomes of a query before it meets the keys. */
public sealed interface QueryNorm {

    /** Normalises {@code count} queries of {@code width} values, of the heads in turn, in place. */
    void apply(float[] queries, int count, int width, Kernels kernels);

    /** Nothing. */
    record None() implements QueryNorm {
        @Override
        public void apply(float[] queries, int count, int width, Kernels kernels) {}
    }

    /**
     * A fixed affine map, what batch normalisation is at inference: {@code q_j = q_j * weight_j + bias_j}.
     *
     * @param weight {@code [heads, width]}; not copied
     * @param bias {@code [heads, width]}; not copied
     */
    record Affine(float[] weight, float[] bias) implements QueryNorm {
        @Override
        public void apply(float[] queries, int count, int width, Kernels kernels) {
            int heads = weight.length / width;
            kernels.workers().forRange(count, 1, (from, to) -> {
                for (int query = from; query < to; query++) {
                    kernels.floating().affine(queries, query * width, width, weight, bias, query % heads * width);
                }
            });
        }
    }

    /**
     * Layer normalisation of each head's whole query, both halves together, followed by an affine map.
     *
     * @param affine the map
     * @param epsilon added to the variance
     */
    record Layer(Affine affine, float epsilon) implements QueryNorm {
        @Override
        public void apply(float[] queries, int count, int width, Kernels kernels) {
            kernels.workers().forRange(count, 1, (from, to) -> {
                for (int query = from; query < to; query++) {
                    kernels.floating().standardize(queries, query * width, width, epsilon);
                }
            });
            affine.apply(queries, count, width, kernels);
        }
    }
}
