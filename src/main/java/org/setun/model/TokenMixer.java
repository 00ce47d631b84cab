package org.setun.model;

import java.util.List;
import org.setun.kernel.Kernels;

/** The part of a block that carries information from token to token. */
public sealed interface TokenMixer permits Mlgru {

    /** Returns the bytes of recurrent state that a sequence needs in this layer; a multiple of 4. */
    long stateBytes();

    /** Returns the linear layers. */
    List<Linear> linears();

    /**
     * Mixes the tokens of a batch and advances the states of its chunks.
     *
     * @param batch which tokens belong to which sequence
     * @param stateOffset where this layer's part begins in each sequence's recurrent state
     * @param x the normed input, {@code [tokens, hidden]}; may be overwritten
     * @param out receives {@code [tokens, hidden]}
     */
    void forward(Batch batch, long stateOffset, float[] x, float[] out, Buffers buffers, Kernels kernels);
}
