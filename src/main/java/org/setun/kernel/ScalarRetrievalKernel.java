package org.setun.kernel;

import org.setun.tensor.PanelMatrix;

/** The specification of {@link RetrievalKernel}: plain loops. */
final class ScalarRetrievalKernel implements RetrievalKernel {

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public void scores(PanelMatrix keys, int fromPanel, int toPanel, Rows queries, Rows scores, int count) {
        int from = fromPanel * PanelMatrix.PANEL_ROWS;
        int to = Math.min(keys.rows(), toPanel * PanelMatrix.PANEL_ROWS);
        for (int q = 0; q < count; q++) {
            int query = queries.offset() + q * queries.stride();
            int out = scores.offset() + q * scores.stride();
            for (int row = from; row < to; row++) {
                float sum = 0;
                for (int column = 0; column < keys.columns(); column++) {
                    sum = Math.fma(keys.value(row, column), queries.values()[query + column], sum);
                }
                scores.values()[out + row] = sum;
            }
        }
    }

    @Override
    public void largest(float[] x, int offset, int length, int k, int[] indices, float[] values, int outOffset) {
        int found = 0;
        for (int i = 0; i < length; i++) {
            found = insert(x[offset + i], i, found, k, indices, values, outOffset);
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>No later than a sum come all those of values that are no smaller on either side, {@code (a + 1) * (b + 1)} for the
     * {@code a}-th and {@code b}-th value, itself among them: where that exceeds {@code k}, the sum is not needed.
     */
    @Override
    public void largestSums(
            int[] indices, float[] values, int offset, int k, int side, int[] pairs, float[] sums, int outOffset) {
        int found = 0;
        for (int a = 0; a < k; a++) {
            int first = indices[offset + a] * side;
            for (int b = 0; (a + 1) * (b + 1) <= k; b++) {
                float sum = values[offset + a] + values[offset + k + b];
                found = insert(sum, first + indices[offset + k + b], found, k, pairs, sums, outOffset);
            }
        }
    }

    /**
     * Inserts a value into the {@code found} largest so far, behind all that are not smaller, if it is among the {@code k}
     * largest; returns how many there are now.
     */
    static int insert(float value, int index, int found, int k, int[] indices, float[] values, int offset) {
        float rank = rank(value);
        if (found == k && (k == 0 || !(rank > rank(values[offset + k - 1])))) {
            return found;
        }
        int at = found == k ? k - 1 : found;
        for (; at > 0 && rank > rank(values[offset + at - 1]); at--) {
            values[offset + at] = values[offset + at - 1];
            indices[offset + at] = indices[offset + at - 1];
        }
        values[offset + at] = value;
        indices[offset + at] = index;
        return Math.min(found + 1, k);
    }

    private static float rank(float value) {
        return Float.isNaN(value) ? Float.NEGATIVE_INFINITY : value;
    }
}
