package org.setun.model;

import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;
import org.setun.tensor.TernaryColumns;
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
 * <p>Where activations are sparse, the columns of zero codes need not be read: {@code columns} holds the same weights in a
 * layout that can leave them out. Which layout a product uses never changes a bit of it.
 *
 * @param weights {@code [outputSize, inputSize]}
 * @param inputNorm the layer's own norm; null where it has none
 * @param sparsity which codes are kept
 * @param columns the weights by columns; null where activations are not expected to be sparse
 */
public record BitLinear(
        TernaryMatrix weights,
        @Nullable RmsNorm inputNorm,
        Sparsity sparsity,
        @Nullable TernaryColumns columns) implements Linear {

    public BitLinear {
        if (inputNorm != null && inputNorm.weight().length != weights.columns()) {
            throw new IllegalArgumentException(
                    "expected a norm of width " + weights.columns() + ", found " + inputNorm.weight().length);
        }
        if (sparsity instanceof Sparsity.BlockTopK block && weights.columns() % block.m() != 0) {
            throw new IllegalArgumentException(
                    "expected a width that is a multiple of " + block.m() + ", found " + weights.columns());
        }
        if (columns != null && (columns.rows() != weights.rows() || columns.columns() != weights.columns())) {
            throw new IllegalArgumentException("expected columns [" + weights.rows() + ", " + weights.columns()
                    + "], found [" + columns.rows() + ", " + columns.columns() + "]");
        }
    }

    /** Creates a layer that keeps all activations. */
    public BitLinear(TernaryMatrix weights, @Nullable RmsNorm inputNorm) {
        this(weights, inputNorm, new Sparsity.Dense(), null);
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
        return weights.byteSize();
    }

    @Override
    public void multiply(LinearInput input, int[] sums, float[] out, Kernels kernels) {
        QuantizedActivations codes = input.codes(sparsity, kernels);
        if (columns != null
                && kernels.ternary()
                        .columnPolicy()
                        .pays(columns, kernels.workers().threads(), input.tokens(), input.nonZeros())) {
            input.listNonZeros(kernels);
            countWeights(input, columns);
            multiplyByColumns(columns, codes, input.tokens(), sums, out, kernels);
        } else {
            input.counter().weights(weightBytes(), weightBytes());
            multiplyByRows(codes, input.tokens(), sums, out, kernels);
        }
        input.counter().ternary(weights.rows(), weights.columns(), weights.zeros(), 1);
    }

    private void countWeights(LinearInput input, TernaryColumns columns) {
        if (input.counter().isCounting()) {
            long columnBytes = columns.words().byteSize() / columns.columns();
            input.counter().weights(weightBytes(), columnBytes * input.readColumns());
        }
    }

    private void multiplyByRows(QuantizedActivations codes, int tokens, int[] sums, float[] out, Kernels kernels) {
        kernels.workers().forRange(weights.rows(), weights.rowBlock(), (from, to) -> {
            kernels.ternary().multiply(weights, codes, tokens, from, to, sums);
            for (int token = 0; token < tokens; token++) {
                rescale(codes, token, from, to, sums, out, kernels);
            }
        });
    }

    private void multiplyByColumns(
            TernaryColumns columns, QuantizedActivations codes, int tokens, int[] sums, float[] out, Kernels kernels) {
        int rows = weights.rows();
        kernels.workers().forRange(rows, TernaryColumns.ROW_BLOCK, (from, to) -> {
            for (int token = 0; token < tokens; token++) {
                kernels.sparse().multiply(columns, codes, token, from, to, sums, token * rows + from);
                rescale(codes, token, from, to, sums, out, kernels);
            }
        });
    }

    private void rescale(
            QuantizedActivations codes, int token, int from, int to, int[] sums, float[] out, Kernels kernels) {
        float factor = weights.scale() / codes.scales()[token];
        int offset = token * weights.rows() + from;
        kernels.floating().rescale(sums, offset, to - from, factor, out, offset);
    }
}
