package org.setun.kernel;

import org.setun.tensor.FloatMatrix;

/**
 * Products of float32 values with the rows of stored matrices: heads, float linears and experts, keys and values. As those of
 * {@link FloatKernel}, an operation works on one token and has one order of additions for all implementations and vector widths
 * (see {@link ScalarMatrixKernel}), so that all of them agree to the bit.
 *
 * <p>Implementations are stateless and may be called by several threads. Offsets and lengths count floats.
 */
public interface MatrixKernel {

    /** Returns a short name for logs, such as {@code vector-512}. */
    String name();

    /**
     * Adds weighted rows, first to last: {@code accumulator_j += weight_r * rows[r, j]} for {@code r} from 0 to {@code count},
     * each a fused multiply-add.
     *
     * @param rows {@code [at least count, columns]}
     * @param weights {@code count} values from {@code weightsOffset}
     * @param accumulator {@code columns} values from {@code accumulatorOffset}
     */
    void addWeightedRows(
            FloatMatrix rows,
            int count,
            float[] weights,
            int weightsOffset,
            float[] accumulator,
            int accumulatorOffset);

    /**
     * Computes a float product for rows {@code [fromRow, toRow)}: {@code out[outOffset + r] = sum_c matrix[r, c] * x_c}.
     *
     * @param matrix {@code [rows, columns]}
     * @param x {@code columns} values from {@code xOffset}
     * @param out receives row {@code r}'s sum at {@code outOffset + r}
     */
    void multiply(FloatMatrix matrix, float[] x, int xOffset, int fromRow, int toRow, float[] out, int outOffset);
}
