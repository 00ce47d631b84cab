package org.setun.model;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.setun.kernel.ExpertCodes;

/**
 * The scratch memory of layers with retrieved experts, shared by them one after the other, and what each of them retrieved in
 * the last step. Of no size in models without such layers.
 */
final class ExpertBuffers {

    private final IdentityHashMap<Peer, Retrieval> byLayer = new IdentityHashMap<>();
    private final List<Retrieval> retrievals;
    private final float[] scores;
    private final int[] halfIndices;
    private final float[] halfScores;
    private final float[] gates;
    private final Picks picks;
    private final ExpertCodes codes;

    /** Allocates for batches of at most {@code maxTokens} tokens of width {@code hiddenSize}. */
    ExpertBuffers(int maxTokens, int hiddenSize, List<Block> blocks) {
        List<Retrieval> all = new ArrayList<>();
        int maxScores = 0;
        int maxChoices = 0;
        int maxPicks = 0;
        for (int layer = 0; layer < blocks.size(); layer++) {
            if (blocks.get(layer).channel() instanceof Peer peer) {
                Retrieval retrieval = new Retrieval(layer, peer, maxTokens);
                byLayer.put(peer, retrieval);
                all.add(retrieval);
                maxScores = Math.max(maxScores, peer.keys().scoresHeld(peer.numHeads(), maxTokens));
                maxChoices = Math.max(maxChoices, ProductKeys.choicesHeld(peer.numHeads(), peer.topK(), maxTokens));
                maxPicks = Math.max(maxPicks, retrieval.experts().length);
            }
        }
        this.retrievals = List.copyOf(all);
        this.scores = new float[maxScores];
        this.halfIndices = new int[maxChoices];
        this.halfScores = new float[maxChoices];
        this.gates = new float[maxPicks];
        this.picks = new Picks(maxPicks);
        this.codes = new ExpertCodes(retrievals.isEmpty() ? 0 : maxTokens, hiddenSize);
    }

    /** Returns what the layers retrieved in the last step, first to last. */
    List<Retrieval> retrievals() {
        return retrievals;
    }

    /** Returns where {@code peer} leaves what it retrieves. */
    Retrieval retrieval(Peer peer) {
        Retrieval retrieval = byLayer.get(peer);
        if (retrieval == null) {
            throw new IllegalArgumentException("these buffers were made for another model");
        }
        return retrieval;
    }

    /** Returns the scores of sub-keys, {@code [tokens of a group, heads, 2, n]}. */
    float[] scores() {
        return scores;
    }

    /** Returns the best sub-keys of each half, {@code [tokens of a group, heads, 2, topK]}. */
    int[] halfIndices() {
        return halfIndices;
    }

    /** Returns the scores of {@link #halfIndices}. */
    float[] halfScores() {
        return halfScores;
    }

    /** Returns the gates of the retrieved experts, {@code [tokens, heads, topK]}. */
    float[] gates() {
        return gates;
    }

    /** Returns the picks of the layer at work. */
    Picks picks() {
        return picks;
    }

    /** Returns the codes of the experts' input, {@code [tokens, hidden]}. */
    ExpertCodes codes() {
        return codes;
    }
}
