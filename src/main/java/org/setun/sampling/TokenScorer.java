package org.setun.sampling;

import java.util.ArrayList;
import java.util.List;

/**
 * Turns rows of logits into log probabilities. A score depends on its row alone, to the bit. Holds scratch for one vocabulary; for
 * one thread at a time.
 */
public final class TokenScorer {

    private final int[] candidates;

    /** Creates a scorer for logits of {@code vocabSize} tokens. */
    public TokenScorer(int vocabSize) {
        this.candidates = new int[vocabSize];
    }

    /**
     * Returns {@code log softmax(logits)} at {@code token} and at the most probable tokens.
     *
     * @param logits rows of logits, {@code [rows, vocab]}
     * @param offset where the row starts
     * @param token the token to score
     * @param top how many of the most probable tokens to list, at least 0; more than there are lists all
     * @throws IllegalArgumentException if a logit is not a number or positive infinity, or all are negative infinity
     */
    public TokenScore score(float[] logits, int offset, int token, int top) {
        double logSum = logSumExp(logits, offset);
        int rank = 1;
        for (int id = 0; id < candidates.length; id++) {
            if (id != token && logits[offset + id] >= logits[offset + token]) {
                rank++;
            }
        }
        return new TokenScore(scored(logits, offset, token, logSum), rank, best(logits, offset, top, logSum));
    }

    private double logSumExp(float[] logits, int offset) {
        float max = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < candidates.length; id++) {
            max = Math.max(max, logits[offset + id]);
        }
        double sum = 0;
        for (int id = 0; id < candidates.length; id++) {
            sum += Math.exp((double) logits[offset + id] - max);
        }
        if (!Double.isFinite(sum)) {
            throw new IllegalArgumentException("logits: expected numbers, found " + max + " as their maximum;"
                    + " the checkpoint's weights or scales are damaged, or its architecture is not what it says");
        }
        return max + Math.log(sum);
    }

    private List<TokenScore.Scored> best(float[] logits, int offset, int top, double logSum) {
        int count = Math.min(top, candidates.length);
        if (count == 0) {
            return List.of();
        }
        for (int id = 0; id < candidates.length; id++) {
            candidates[id] = id;
        }
        if (count < candidates.length) {
            BestFirst.partition(logits, offset, candidates, candidates.length, count);
        }
        List<TokenScore.Scored> best = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            best.add(scored(logits, offset, candidates[i], logSum));
        }
        best.sort((a, b) -> BestFirst.precedes(logits, offset, a.id(), b.id()) ? -1 : 1);
        return best;
    }

    private static TokenScore.Scored scored(float[] logits, int offset, int id, double logSum) {
        return new TokenScore.Scored(id, (float) (logits[offset + id] - logSum));
    }
}
