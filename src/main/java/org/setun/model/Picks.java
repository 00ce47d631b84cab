package org.setun.model;

import java.util.Arrays;

/**
 * The experts that a step's tokens retrieved in one layer, as a list in ascending order of the expert and, where several heads
 * or tokens retrieved the same one, of token and head. So an expert's rows are read once for all of its tokens, and a token's
 * own picks stand in an order that no other token changes.
 */
final class Picks {

    private final long[] order;
    private final int[] experts;
    private final int[] tokens;
    private final float[] gates;
    private final float[] factors;
    private final int[] sums;
    private int count;
    private int perToken;
    private int distinctExperts;
    private int activatedExperts;

    /** Allocates space for {@code capacity} picks. */
    Picks(int capacity) {
        this.order = new long[capacity];
        this.experts = new int[capacity];
        this.tokens = new int[capacity];
        this.gates = new float[capacity];
        this.factors = new float[capacity];
        this.sums = new int[capacity];
    }

    /**
     * Takes over what a layer retrieved.
     *
     * @param gates those of the retrieved experts, {@code [tokens, heads, topK]}
     */
    void take(Retrieval retrieval, float[] gates) {
        perToken = retrieval.perToken();
        distinctExperts = 0;
        activatedExperts = 0;
        count = retrieval.tokens() * perToken;
        int[] retrieved = retrieval.experts();
        for (int i = 0; i < count; i++) {
            order[i] = (long) retrieved[i] << Integer.SIZE | i;
        }
        Arrays.sort(order, 0, count);
        for (int i = 0; i < count; i++) {
            int pick = (int) order[i];
            experts[i] = (int) (order[i] >>> Integer.SIZE);
            tokens[i] = pick / perToken;
            this.gates[i] = gates[pick];
            boolean again = i > 0 && experts[i] == experts[i - 1];
            distinctExperts += again ? 0 : 1;
            activatedExperts += again && tokens[i] == tokens[i - 1] ? 0 : 1;
        }
    }

    /** Returns how many picks each token has. */
    int perToken() {
        return perToken;
    }

    /** Returns how many experts there are among the picks. */
    int distinctExperts() {
        return distinctExperts;
    }

    /** Returns how many experts each token picked, whether one or several of its heads did, summed over the tokens. */
    int activatedExperts() {
        return activatedExperts;
    }

    /** Returns where pick {@code i} stands in the retrieval's arrays. */
    int place(int i) {
        return (int) order[i];
    }

    /** Returns the number of picks. */
    int count() {
        return count;
    }

    /** Returns the expert of each pick. */
    int[] experts() {
        return experts;
    }

    /** Returns the token of each pick. */
    int[] tokens() {
        return tokens;
    }

    /** Returns the gate of each pick. */
    float[] gates() {
        return gates;
    }

    /** Returns the factor of each pick's output row. */
    float[] factors() {
        return factors;
    }

    /** Returns space for an integer of each pick. */
    int[] sums() {
        return sums;
    }
}
