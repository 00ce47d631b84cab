package org.setun.kernel;

import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * Products of int8 activations with ternary matrices, in exact integers: {@code sums[t, r] = sum_c code[t, c] * trit[r, c]}.
 * All implementations compute the same numbers; {@link ScalarTernaryKernel} is their specification.
 *
 * <p>Implementations are stateless or keep only per-thread scratch, and may be called by several threads for disjoint row
 * ranges.
 */
public interface TernaryKernel {

    /** Returns a short name for logs and metrics, such as {@code vector-512}. */
    String name();

    /** Returns the layout of weights that this kernel multiplies where {@code threads} threads share the rows. */
    TernaryLayout layout(int threads);

    /** Returns when a product by columns is faster than this kernel. */
    ColumnPolicy columnPolicy();

    /**
     * Computes rows {@code [fromRow, toRow)} of the products for tokens {@code [0, tokens)}.
     *
     * @param weights {@code [rows, columns]}, in this kernel's {@link #layout}
     * @param activations {@code [tokens, columns]}
     * @param tokens the number of tokens, at most the activations' capacity
     * @param fromRow the first row, a multiple of the weights' {@link TernaryMatrix#rowBlock}
     * @param toRow the row after the last, a multiple of {@link TernaryMatrix#rowBlock} or the number of rows
     * @param sums receives {@code [tokens, rows]}: the sum of token {@code t} and row {@code r} at {@code t * rows + r}
     * @throws IllegalArgumentException if the columns of weights and activations differ, or the weights have another layout
     */
    void multiply(
            TernaryMatrix weights, QuantizedActivations activations, int tokens, int fromRow, int toRow, int[] sums);
}
