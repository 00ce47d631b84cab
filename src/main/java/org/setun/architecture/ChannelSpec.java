package org.setun.architecture;

import org.setun.kernel.Activation;
import org.setun.model.Score;

/** A channel mixer. */
sealed interface ChannelSpec {

    /** The nonlinearity between the two halves. */
    Activation activation();

    /**
     * A gated MLP.
     *
     * @param intermediateSize the width between the projections
     * @param subNorm whether a norm stands in front of the down projection
     */
    record Glu(int intermediateSize, Activation activation, boolean subNorm) implements ChannelSpec {}

    /**
     * Retrieval among very many one-neuron experts.
     *
     * @param sideLength the number of sub-keys of each half; there are as many experts as its square
     * @param numHeads retrieval heads
     * @param topK experts that each head retrieves
     * @param keyDim the width of a sub-key
     * @param score what becomes of the scores of the retrieved experts
     * @param queryNorm what becomes of a query before it meets the keys
     * @param sharedKeys whether all heads share one set of sub-keys
     */
    record Peer(
            int sideLength,
            int numHeads,
            int topK,
            int keyDim,
            Activation activation,
            Score score,
            QueryNorm queryNorm,
            boolean sharedKeys)
            implements ChannelSpec {

        /** Returns the number of experts. */
        int numExperts() {
            return sideLength * sideLength;
        }
    }

    /** How a query is normalised. */
    enum QueryNorm {
        NONE,
        AFFINE,
        LAYER
    }
}
