package org.setun.kernel;

import org.setun.tensor.ScreenMatrix;

/**
 * Products of float32 values with a {@link ScreenMatrix}, and the bounds of what they stand for. How sums are ordered is left to
 * an implementation: the matrix's radii cover any order, so that nothing that is decided by the bounds depends on it.
 *
 * <p>Implementations are stateless and may be called by several threads for disjoint panels.
 */
public interface ScreenKernel {

    /** Returns a short name for logs, such as {@code vector-512}. */
    String name();

    /**
     * Estimates the products of several inputs with the rows of panels {@code [fromPanel, toPanel)}: a product lies between
     * {@code estimate - radius * norm} and {@code estimate + radius * norm}.
     *
     * @param matrix {@code [rows, columns]}
     * @param inputs the vectors to multiply
     * @param estimates receives input {@code i}'s estimate of row {@code r} at {@code inputs.out[i] + r}, for rows of the
     *     matrix only
     * @param bounds receives, for input {@code i} and panel {@code p}, at {@code (i * matrix.panels() + p) * 2} the largest
     *     lower bound of the panel's products, and behind it the largest upper bound
     */
    void estimate(ScreenMatrix matrix, Inputs inputs, int fromPanel, int toPanel, float[] estimates, float[] bounds);

    /**
     * Vectors in an array.
     *
     * @param values the array
     * @param from where each vector begins
     * @param norms the vectors' Euclidean norms, rounded up
     * @param out where each vector's results begin
     * @param count how many vectors there are
     */
    record Inputs(float[] values, int[] from, float[] norms, int[] out, int count) {}
}
