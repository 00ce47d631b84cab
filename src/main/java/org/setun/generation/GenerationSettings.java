package org.setun.generation;

import java.util.Set;

/**
 * The limits of a generator.
 *
 * @param contextLength how many tokens a prompt and its answer may have together, at least 2
 * @param maxPromptTokens how many tokens a prompt may have, at least 1
 * @param defaultMaxTokens how many tokens are generated at most for a request that does not say, at least 1; fewer if
 *     the context ends before
 * @param stopTokens ids that end an answer and are not part of its text, such as the end-of-sequence token
 */
public record GenerationSettings(
        int contextLength, int maxPromptTokens, int defaultMaxTokens, Set<Integer> stopTokens) {

    public GenerationSettings {
        stopTokens = Set.copyOf(stopTokens);
        if (contextLength < 2) {
            throw new IllegalArgumentException("contextLength: expected 2 or more, found " + contextLength);
        }
        if (maxPromptTokens < 1) {
            throw new IllegalArgumentException("maxPromptTokens: expected 1 or more, found " + maxPromptTokens);
        }
        if (defaultMaxTokens < 1) {
            throw new IllegalArgumentException("defaultMaxTokens: expected 1 or more, found " + defaultMaxTokens);
        }
    }

    /** Creates limits with prompts as long as the context. */
    public GenerationSettings(int contextLength, int defaultMaxTokens, Set<Integer> stopTokens) {
        this(contextLength, contextLength, defaultMaxTokens, stopTokens);
    }
}
