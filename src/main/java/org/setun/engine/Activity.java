package org.setun.engine;

import java.util.List;

/**
 * What the model did for some tokens: for all that an engine ran, or for those of one request. A request's numbers are of the tokens that were
 * computed for it, not of those whose state was known, and do not depend on what ran beside it; its bytes of weights are 0, since
 * all requests of a step share what is read.
 *
 * @param tokens how many tokens were computed
 * @param sites the sites of the network in the order of the computation
 * @param experts the layers with retrieved experts, first to last
 */
public record Activity(long tokens, List<SiteCounts> sites, List<LayerExperts> experts) {

    public Activity {
        sites = List.copyOf(sites);
        experts = List.copyOf(experts);
    }

    /**
     * Which experts of a layer were used.
     *
     * @param layer from 0
     * @param count how many experts there are
     * @param lookups how many were retrieved: one for each token, head and rank
     * @param distinct how many different ones
     */
    public record LayerExperts(int layer, int count, long lookups, long distinct) {}
}
