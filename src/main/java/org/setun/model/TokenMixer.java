package org.setun.model;

import java.util.List;
import org.setun.kernel.Kernels;

/** The part of a block that carries information from token to token. */
public sealed interface TokenMixer permits Mlgru, Attention {

    /** Returns the bytes of recurrent state that a sequence needs in this layer; a multiple of 4. */
    long stateBytes();

    /** Returns the bytes that a page of {@code pageTokens} tokens needs in this layer; 0 where nothing of a token is kept. */
    long pageBytes(int pageTokens);

    /** Returns where its products stand, in the order of the computation. */
    List<Site> sites();

    /** Returns the linear layers. */
    List<Linear> linears();

    /**
     * Mixes the tokens of a batch and advances the states of its chunks.
     *
     * @param batch which tokens belong to which sequence
     * @param slice where this layer's part lies in each sequence's memory
     * @param x the normed input, {@code [tokens, hidden]}; may be overwritten
     * @param out receives {@code [tokens, hidden]}
     */
    void forward(Batch batch, StateSlice slice, float[] x, float[] out, Buffers buffers, Kernels kernels);
}
