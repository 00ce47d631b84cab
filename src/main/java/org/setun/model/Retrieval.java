package org.setun.model;

import java.util.Objects;

/**
 * Which experts one layer chose for the tokens of the last step: written by {@link Model#forward}, to be read by the same
 * thread until the next one.
 */
public final class Retrieval {

    private final int layer;
    private final int numHeads;
    private final int topK;
    private final int[] experts;
    private final float[] scores;
    private int tokens;

    /** Allocates space for {@code maxTokens} tokens. */
    Retrieval(int layer, int numHeads, int topK, int maxTokens) {
        this.layer = layer;
        this.numHeads = numHeads;
        this.topK = topK;
        this.experts = new int[Math.multiplyExact(maxTokens, Math.multiplyExact(numHeads, topK))];
        this.scores = new float[experts.length];
    }

    /** Returns the number of the layer, the first being 0. */
    public int layer() {
        return layer;
    }

    /** Returns the number of heads that retrieve for a token. */
    public int numHeads() {
        return numHeads;
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

    private int index(int token, int head, int rank) {
        Objects.checkIndex(token, tokens);
        Objects.checkIndex(head, numHeads);
        Objects.checkIndex(rank, topK);
        return (token * numHeads + head) * topK + rank;
    }

    /** Begins a step. */
    void begin(int tokens) {
        this.tokens = tokens;
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
