package org.setun.model;

import java.util.List;
import org.setun.kernel.Kernels;

/** The part of a block that works on each token by itself. */
public sealed interface ChannelMixer permits GatedMlp, Peer {

    /** Returns where its products stand, in the order of the computation. */
    List<Site> sites();

    /** Returns the linear layers. */
    List<Linear> linears();

    /**
     * Returns the bytes of weights that the pass of one token reads besides the linear layers', norms and other vectors left
     * out.
     */
    long otherWeightBytes();

    /**
     * Transforms {@code tokens} rows.
     *
     * @param x the normed input, {@code [tokens, hidden]}
     * @param out receives {@code [tokens, hidden]}
     */
    void forward(float[] x, int tokens, float[] out, Buffers buffers, Kernels kernels);
}
