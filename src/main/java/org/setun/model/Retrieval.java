package org.setun.model;

import java.util.Arrays;
import java.util.Objects;

/**
 * Which experts one layer chose for the tokens of the last step: written by {@link Model#forward}, to be read by the same
 * thread until the next one.
 */
public final class Retrieval {

    private final int layer;
    private final int numHeads;
    private final int topK;
    private final int numExperts;
    private final int[] experts;
    private final float[] scores;
    private final int[] hits;
    private final float[] strongest;
    private final int[] strongestRank;
    private int tokens;
    private int activatedExperts;

    /** Allocates space for {@code maxTokens} tokens of a layer. */
    Retrieval(int layer, Peer peer, int maxTokens) {
        this.layer = layer;
        this.numHeads = peer.numHeads();
        this.topK = peer.topK();
        this.numExperts = peer.experts().count();
        this.experts = new int[Math.multiplyExact(maxTokens, Math.multiplyExact(numHeads, topK))];
        this.scores = new float[experts.length];
        this.hits = new int[topK];
        this.strongest = new float[maxTokens * numHeads];
        this.strongestRank = new int[maxTokens * numHeads];
    }

    /** Returns the number of the layer, the first being 0. */
    public int layer() {
        return layer;
    }

    /** Returns the number of heads that retrieve for a token. */
    public int numHeads() {
        return numHeads;
    }

    /** Returns the number of experts that there are to retrieve. */
    public int numExperts() {
        return numExperts;
    }

    /** Returns the number of experts that a head retrieves. */
    public int topK() {
        return topK;
    }

    /** Returns the number of tokens of the last step, in the order of its batch. */
    public int tokens() {
        return tokens;
    }

    /**
     * Returns the expert that a head ranked {@code rank}-th, the best being 0.
     *
     * @throws IndexOutOfBoundsException if there is no such token, head or rank
     */
    public int expert(int token, int head, int rank) {
        return experts[index(token, head, rank)];
    }

    /**
     * Returns the score of {@link #expert}.
     *
     * @throws IndexOutOfBoundsException if there is no such token, head or rank
     */
    public float score(int token, int head, int rank) {
        return scores[index(token, head, rank)];
    }

    /**
     * Returns how many different experts each token activated, summed over the tokens: one that several heads of a token
     * retrieve counts once for that token. 0 where nothing is counted.
     */
    public int activatedExperts() {
        return activatedExperts;
    }

    /**
     * Returns for how many retrievals the expert of rank {@code rank} was the one that mattered most: the one whose output row
     * was added with the factor of the largest magnitude, the lower rank where there are equal ones. A retrieval whose factors are all zero
     * counts for no rank.
     *
     * @param rank from 0, the best score, to topK - 1
     */
    public int hits(int rank) {
        return hits[rank];
    }

    private int index(int token, int head, int rank) {
        Objects.checkIndex(token, tokens);
        Objects.checkIndex(head, numHeads);
        Objects.checkIndex(rank, topK);
        return (token * numHeads + head) * topK + rank;
    }

    /** Begins a step. */
    void begin(int tokens) {
        this.tokens = tokens;
        activatedExperts = 0;
        Arrays.fill(hits, 0);
    }

    /** Counts what became of the experts. */
    void end(Picks picks) {
        activatedExperts = picks.activatedExperts();
        int retrievals = tokens * numHeads;
        Arrays.fill(strongest, 0, retrievals, 0);
        for (int i = 0; i < picks.count(); i++) {
            int place = picks.place(i);
            int retrieval = place / topK;
            int rank = place % topK;
            float factor = Math.abs(picks.factors()[i]);
            if (factor > strongest[retrieval]
                    || (factor == strongest[retrieval] && factor > 0 && rank < strongestRank[retrieval])) {
                strongest[retrieval] = factor;
                strongestRank[retrieval] = rank;
            }
        }
        for (int retrieval = 0; retrieval < retrievals; retrieval++) {
            if (strongest[retrieval] > 0) {
                hits[strongestRank[retrieval]]++;
            }
        }
    }

    /** Returns how many experts are chosen for a token. */
    int perToken() {
        return numHeads * topK;
    }

    /** Returns the experts, {@code [tokens, heads, topK]}. */
    int[] experts() {
        return experts;
    }

    /** Returns the scores, {@code [tokens, heads, topK]}. */
    float[] scores() {
        return scores;
    }
}
