package org.setun.model;

import java.util.List;
import org.setun.kernel.Activation;
import org.setun.kernel.Kernels;

/**
 * Parameter-efficient expert retrieval (arXiv 2407.04153): each head retrieves the few experts whose keys its query fits best,
 * out of as many as a million, and their outputs are summed.
 *
 * <pre>
 * q = queryNorm(query(x))                                  one query a head
 * (S_1, e_1) .. (S_k, e_k) = the k best experts for q      see {@link ProductKeys}
 * g = score(S_1 .. S_k)
 * y = sum over heads and i of g_i * activation(<u_{e_i}, x>) * v_{e_i}
 * </pre>
 *
 * An expert that several heads retrieve contributes once for each. The experts read {@code x} without the query's input norm.
 *
 * @param query {@code [heads * 2 * keyDim, hidden]}, rows in the order head, half, feature
 * @param numHeads retrieval heads
 * @param queryNorm what becomes of a query before it meets the keys
 * @param keys those of all experts
 * @param topK experts that each head retrieves
 * @param score how scores become gates
 * @param activation the nonlinearity of an expert
 * @param experts their rows
 */
public record Peer(
        Linear query,
        int numHeads,
        QueryNorm queryNorm,
        ProductKeys keys,
        int topK,
        Score score,
        Activation activation,
        Experts experts)
        implements ChannelMixer {

    public Peer {
        if (query.outputSize() != numHeads * 2 * keys.keyDim()) {
            throw new IllegalArgumentException("expected a query projection to " + numHeads + " heads of 2 * "
                    + keys.keyDim() + ", found one to " + query.outputSize());
        }
        if (keys.pairs().size() != 1 && keys.pairs().size() != numHeads) {
            throw new IllegalArgumentException("expected sub-keys for all of the " + numHeads
                    + " heads together or for each, found " + keys.pairs().size());
        }
        if (topK < 1 || topK > keys.side()) {
            throw new IllegalArgumentException("expected a top_k from 1 to " + keys.side() + ", found " + topK);
        }
        if (experts.count() != keys.side() * keys.side() || experts.width() != query.inputSize()) {
            throw new IllegalArgumentException("expected experts [" + keys.side() * keys.side() + ", "
                    + query.inputSize() + "], found [" + experts.count() + ", " + experts.width() + "]");
        }
    }

    @Override
    public List<Site> sites() {
        return List.of(Site.PEER_QUERY, Site.PEER_EXPERTS);
    }

    @Override
    public List<Linear> linears() {
        return List.of(query);
    }

    @Override
    public long otherWeightBytes() {
        return keys.weightBytes() + (long) numHeads * topK * experts.weightBytes();
    }

    @Override
    public void forward(float[] x, int tokens, float[] out, Buffers buffers, Kernels kernels) {
        ExpertBuffers scratch = buffers.experts();
        float[] queries = buffers.first();
        PassCounter counter = buffers.linearInput().counter();
        counter.at(Site.PEER_QUERY);
        query.forward(x, tokens, buffers, queries, kernels);
        queryNorm.apply(queries, tokens * numHeads, 2 * keys.keyDim(), kernels);
        Retrieval retrieval = scratch.retrieval(this);
        retrieval.begin(tokens);
        counter.at(Site.PEER_EXPERTS);
        keys.retrieve(queries, retrieval, scratch, kernels);
        gate(retrieval, scratch.gates(), kernels);
        scratch.picks().take(retrieval, scratch.gates());
        experts.forward(x, tokens, scratch.picks(), activation, out, buffers, kernels);
        count(retrieval, scratch.picks(), counter);
    }

    private void count(Retrieval retrieval, Picks picks, PassCounter counter) {
        if (counter.isCounting()) {
            counter.floats(2L * numHeads * keys.side() * keys.keyDim());
            counter.weights(
                    keys.weightBytes() + experts.count() * experts.weightBytes(),
                    keys.weightBytes() + picks.distinctExperts() * experts.weightBytes());
            retrieval.end(picks);
        }
    }

    private void gate(Retrieval retrieval, float[] gates, Kernels kernels) {
        kernels.workers().forRange(retrieval.tokens() * numHeads, 1, (from, to) -> {
            float[] scratch = new float[topK];
            for (int query = from; query < to; query++) {
                score.gates(retrieval.scores(), query * topK, topK, gates, scratch, kernels.floating());
            }
        });
    }
}
