package org.setun.kernel;

import org.setun.tensor.FloatMatrix;

/** The specification of {@link MatrixKernel}: plain loops, with the sums in the order of {@link ScalarFloatKernel}'s. */
final class ScalarMatrixKernel implements MatrixKernel {

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public void addWeightedRows(
            FloatMatrix rows,
            int count,
            float[] weights,
            int weightsOffset,
            float[] accumulator,
            int accumulatorOffset) {
        addWeightedRows(rows, count, 0, weights, weightsOffset, accumulator, accumulatorOffset);
    }

    /** Adds weighted rows to the columns from {@code from}. */
    static void addWeightedRows(
            FloatMatrix rows,
            int count,
            int from,
            float[] weights,
            int weightsOffset,
            float[] accumulator,
            int accumulatorOffset) {
        float[] row = new float[rows.columns() - from];
        for (int r = 0; r < count; r++) {
            rows.readRow(r, from, rows.columns(), row, 0);
            for (int j = 0; j < row.length; j++) {
                int at = accumulatorOffset + from + j;
                accumulator[at] = Math.fma(weights[weightsOffset + r], row[j], accumulator[at]);
            }
        }
    }

    @Override
    public void multiply(
            FloatMatrix matrix, float[] x, int xOffset, int fromRow, int toRow, float[] out, int outOffset) {
        float[] row = new float[matrix.columns()];
        for (int r = fromRow; r < toRow; r++) {
            matrix.readRow(r, row, 0);
            out[outOffset + r] = ScalarFloatKernel.dot(row, 0, x, xOffset, row.length);
        }
    }
}
