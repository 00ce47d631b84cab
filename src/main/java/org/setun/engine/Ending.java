package org.setun.engine;

import java.util.Set;

/**
 * When a sequence ends by itself.
 *
 * @param maxTokens how many tokens to generate at most; 0 only reads the prompt
 * @param minTokens how many tokens come at least before one that ends the sequence; at least 0, at most {@code maxTokens}
 * @param stopTokens ids that end the sequence; the id itself is reported, and counts as generated
 */
public record Ending(int maxTokens, int minTokens, Set<Integer> stopTokens) {

    public Ending {
        stopTokens = Set.copyOf(stopTokens);
        if (maxTokens < 0) {
            throw new IllegalArgumentException("max_tokens: expected 0 or more, found " + maxTokens);
        }
        if (minTokens < 0 || minTokens > maxTokens) {
            throw new IllegalArgumentException(
                    "min_tokens: expected 0 to max_tokens, which is " + maxTokens + ", found " + minTokens);
        }
    }

    /** Creates an ending that stop tokens may bring at once. */
    public Ending(int maxTokens, Set<Integer> stopTokens) {
        this(maxTokens, 0, stopTokens);
    }
}
