package org.setun.model;

import org.setun.kernel.Activation;
import org.setun.kernel.Kernels;

/**
 * Very many experts of one neuron each: expert {@code e} has an input row {@code u_e} and an output row {@code v_e} and computes
 * {@code activation(<u_e, x>) * v_e}.
 */
public sealed interface Experts permits TernaryExperts, FloatExperts {

    /** Returns the number of experts. */
    int count();

    /** Returns the width of a row. */
    int width();

    /** Returns the bytes of the two rows of an expert. */
    long weightBytes();

    /**
     * Sums the picked experts' outputs, each times its gate: {@code out_t = sum_i gate_i * activation(<u_i, x_t>) * v_i} over the
     * picks {@code i} of token {@code t}, in the order of the list.
     *
     * @param x {@code [tokens, width]}
     * @param out receives {@code [tokens, width]}
     */
    void forward(
            float[] x, int tokens, Picks picks, Activation activation, float[] out, Buffers buffers, Kernels kernels);
}
