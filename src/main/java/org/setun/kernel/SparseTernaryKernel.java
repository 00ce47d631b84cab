package org.setun.kernel;

import org.setun.tensor.TernaryColumns;

/**
 * Products of one token's int8 activations with ternary columns, which read the columns of non-zero activations only, in
 * exact integers: {@code sum_c code[c] * trit[r, c]}, the same numbers that {@link TernaryKernel} computes. All implementations
 * compute them; {@link ScalarSparseTernaryKernel} is their specification.
 *
 * <p>Implementations are stateless or keep only per-thread scratch, and may be called by several threads for disjoint row
 * ranges.
 */
public interface SparseTernaryKernel {

    /** Returns a short name for logs and metrics, such as {@code vector-512}. */
    String name();

    /**
     * Computes rows {@code [fromRow, toRow)} of a token's product.
     *
     * @param weights {@code [rows, columns]}
     * @param activations {@code [tokens, columns]}, with the non-zero columns of {@code token} counted and listed
     * @param token which of the tokens
     * @param fromRow the first row, a multiple of {@link TernaryColumns#ROW_BLOCK}
     * @param toRow the row after the last
     * @param sums receives the sum of row {@code r} at {@code sumsOffset + r - fromRow}
     * @throws IllegalArgumentException if the columns of weights and activations differ
     */
    void multiply(
            TernaryColumns weights,
            QuantizedActivations activations,
            int token,
            int fromRow,
            int toRow,
            int[] sums,
            int sumsOffset);
}
