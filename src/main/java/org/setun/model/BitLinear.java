package org.setun.model;

import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;
import org.setun.tensor.TernaryMatrix;

/**
 * A linear layer with ternary weights and int8 activations (arXiv 2402.17764, section 2): the input is quantised by its
 * largest magnitude, the product is exact in integers, and one factor a token brings it back to floats.
 *
 * <pre>
 * s = 127 / max(max|n|, 1e-5)      n = norm(x)
 * y = (rint(n * s) . t^T) * (scale / s)
 * </pre>
 *
 * @param weights {@code [outputSize, inputSize]}
 * @param inputNorm the layer's own norm; null where it has none
 */
public record BitLinear(TernaryMatrix weights, @Nullable RmsNorm inputNorm) implements Linear {

    public BitLinear {
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
    public void multiply(LinearInput input, int[] sums, float[] out, Kernels kernels) {
        QuantizedActivations codes = input.codes(kernels);
        int tokens = input.tokens();
        int rows = weights.rows();
        kernels.workers().forRange(rows, TernaryMatrix.ROW_BLOCK, (from, to) -> {
            kernels.ternary().multiply(weights, codes, tokens, from, to, sums);
            for (int token = 0; token < tokens; token++) {
                float factor = weights.scale() / codes.scales()[token];
                int offset = token * rows + from;
                kernels.floating().rescale(sums, offset, to - from, factor, out, offset);
            }
        });
    }
}
