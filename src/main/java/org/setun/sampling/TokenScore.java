package org.setun.sampling;

import java.util.List;

/**
 * How probable a token was at its place, by the model's own distribution: the softmax of its logits before temperature, cuts and
 * penalties, as in vLLM and as llama-server's {@code n_probs} has it.
 *
 * @param token the token that stands there
 * @param rank how many tokens are as probable or more, itself included; 1 for the most probable
 * @param top the most probable tokens, the best first and of equals the lowest id; as many as were asked for
 */
public record TokenScore(Scored token, int rank, List<Scored> top) {

    /**
     * A token and the natural logarithm of its probability.
     *
     * @param id the token id
     * @param logProbability 0 or less; negative infinity for a token that cannot come
     */
    public record Scored(int id, float logProbability) {}

    public TokenScore {
        top = List.copyOf(top);
        if (rank < 1) {
            throw new IllegalArgumentException("rank: expected 1 or more, found " + rank);
        }
    }
}
