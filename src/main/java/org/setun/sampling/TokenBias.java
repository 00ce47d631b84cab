package org.setun.sampling;

import java.util.List;
import java.util.Map;

/**
 * What is added to the logits of some tokens.
 *
 * @param byId what, by token id: -100 to 100 as in OpenAI's API, or negative infinity for a token that is never chosen;
 *     ids outside of the vocabulary mean nothing
 * @param bannedWords sequences of tokens, none empty, of which the last is never chosen where the generated tokens end with the others:
 *     vLLM's bad words
 */
public record TokenBias(Map<Integer, Float> byId, List<List<Integer>> bannedWords) {

    /** The most that is added or subtracted. */
    public static final double MAX = 100;

    /** Adds nothing. */
    public static final TokenBias NONE = new TokenBias(Map.of(), List.of());

    public TokenBias {
        byId = Map.copyOf(byId);
        bannedWords = bannedWords.stream().map(List::copyOf).toList();
        byId.forEach((id, bias) -> {
            if (id < 0) {
                throw new IllegalArgumentException("logit_bias: expected token ids of 0 or more, found " + id);
            }
            if (bias != Float.NEGATIVE_INFINITY) {
                Range.require("logit_bias[" + id + "]", bias, -MAX, MAX);
            }
        });
        if (bannedWords.contains(List.<Integer>of())) {
            throw new IllegalArgumentException("bad_words: expected words of one token or more, found an empty one");
        }
    }

    boolean isEmpty() {
        return byId.isEmpty() && bannedWords.isEmpty();
    }

    /** Returns how many tokens it is about, at most. */
    int size() {
        return byId.size() + bannedWords.size();
    }

    /** Returns whether any token gains. */
    boolean raises() {
        return byId.values().stream().anyMatch(bias -> bias > 0);
    }
}
