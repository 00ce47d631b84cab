package org.setun.model;

import org.setun.kernel.QuantizedActivations;

/**
 * Which int8 activations a ternary linear keeps; the others count as zero (arXiv 2407.10969). Selected after quantising, on
 * the magnitudes of the codes; of equal ones the lower index is kept, and the scale stays that of the whole vector.
 */
public sealed interface Sparsity {

    /** All of them. */
    record Dense() implements Sparsity {}

    /**
     * The largest of the whole vector: {@code max(1, floor(keptRatio * width + 0.5))} of them.
     *
     * @param keptRatio more than 0, at most 1
     */
    record TopK(double keptRatio) implements Sparsity {

        public TopK {
            if (!(keptRatio > 0 && keptRatio <= 1)) {
                throw new IllegalArgumentException("expected a kept ratio above 0 and at most 1, found " + keptRatio);
            }
        }
    }

    /**
     * The {@code n} largest of every {@code m} consecutive ones; the width is a multiple of {@code m}.
     *
     * @param n how many are kept, at least 1
     * @param m out of how many, at least {@code n}
     */
    record BlockTopK(int n, int m) implements Sparsity {

        public BlockTopK {
            if (n < 1 || n > m) {
                throw new IllegalArgumentException("expected to keep 1 to " + m + " of " + m + ", found " + n);
            }
        }
    }

    /**
     * Returns the sparser of this and of what drops the fraction {@code dropped} of the activations in the same way: of the
     * whole vector, or of every block.
     *
     * @param dropped at least 0, less than 1
     */
    default Sparsity butDropping(double dropped) {
        if (dropped == 0) {
            return this;
        }
        double kept = 1 - dropped;
        return switch (this) {
            case Dense dense -> new TopK(kept);
            case TopK topK -> kept < topK.keptRatio() ? new TopK(kept) : topK;
            case BlockTopK block -> {
                int n = kept(kept, block.m());
                yield n < block.n() ? new BlockTopK(n, block.m()) : block;
            }
        };
    }

    /** Zeroes those codes of token {@code token} that are not kept. */
    default void select(QuantizedActivations codes, int token) {
        switch (this) {
            case Dense dense -> {}
            case TopK topK -> codes.keepLargest(token, kept(topK.keptRatio(), codes.columns()));
            case BlockTopK block -> codes.keepLargestOfEach(token, block.n(), block.m());
        }
    }

    private static int kept(double ratio, int of) {
        return Math.max(1, (int) Math.floor(ratio * of + 0.5));
    }
}
