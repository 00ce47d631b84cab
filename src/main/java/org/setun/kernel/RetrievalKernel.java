package org.setun.kernel;

import org.setun.tensor.PanelMatrix;

/**
 * Scores of many queries against the rows of a matrix, and the largest of them. All implementations compute the same bits;
 * {@link ScalarRetrievalKernel} is their specification. Stateless; several threads may call it for disjoint results.
 */
public interface RetrievalKernel {

    /** Returns a short name for logs, such as {@code vector-512}. */
    String name();

    /**
     * Computes {@code scores[to + q * toStride + r] = sum_c keys[r, c] * queries[from + q * fromStride + c]} for queries
     * {@code q} in {@code [0, count)} and the rows {@code r} of panels {@code [fromPanel, toPanel)}. Each sum is one running
     * sum of fused multiply-adds, columns in ascending order, starting from 0.
     *
     * @param keys {@code [rows, columns]}; a panel is read once for all queries
     */
    void scores(PanelMatrix keys, int fromPanel, int toPanel, Rows queries, Rows scores, int count);

    /**
     * Rows of equal length in an array.
     *
     * @param values the array
     * @param offset where the first begins
     * @param stride how far apart two of them begin
     */
    record Rows(float[] values, int offset, int stride) {}

    /**
     * Finds the {@code k} largest of {@code length} values, in descending order; of equal ones the lower index comes first. NaN
     * counts as negative infinity, and 0 equals -0.
     *
     * @param x {@code length} values from {@code offset}
     * @param k at most {@code length}
     * @param indices receives {@code k} indices from {@code outOffset}, counted from {@code offset}
     * @param values receives the values at them, as they are
     */
    void largest(float[] x, int offset, int length, int k, int[] indices, float[] values, int outOffset);

    /**
     * Finds the {@code k} largest of all sums of one out of {@code k} first values and one out of {@code k} second values, in
     * descending order; of equal sums the one of the earlier first value comes first, and then that of the earlier second
     * value. NaN counts as negative infinity.
     *
     * @param indices {@code k} indices of first values from {@code offset}, then {@code k} of second ones
     * @param values the values, likewise, each {@code k} in descending order
     * @param side how much a first index weighs
     * @param pairs receives {@code first index * side + second index} of each sum from {@code outOffset}
     * @param sums receives the sums
     */
    void largestSums(
            int[] indices, float[] values, int offset, int k, int side, int[] pairs, float[] sums, int outOffset);
}
