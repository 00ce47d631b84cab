package org.setun.sampling;

import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What there is of a sequence when its next token is chosen.
 *
 * @param tokens the prompt's tokens and then the generated ones, in the first {@code totalTokens} places; not copied, not changed
 * @param promptTokens how many of them are the prompt's
 * @param totalTokens how many there are
 * @param banned tokens that cannot be chosen this time, such as those that would end the sequence too early
 */
public record History(int[] tokens, int promptTokens, int totalTokens, Set<Integer> banned) {

    public History {
        Objects.checkIndex(promptTokens, totalTokens + 1);
        Objects.checkFromToIndex(0, totalTokens, tokens.length);
    }

    /** Returns the index of the first of the {@code count} last tokens, or of all if there are fewer. */
    int startOfLast(int count) {
        return Math.max(0, totalTokens - count);
    }

    /** Returns whether the generated tokens end with {@code ids}. */
    boolean generatedEndsWith(List<Integer> ids) {
        if (ids.size() > totalTokens - promptTokens) {
            return false;
        }
        for (int i = 0; i < ids.size(); i++) {
            if (tokens[totalTokens - ids.size() + i] != ids.get(i)) {
                return false;
            }
        }
        return true;
    }
}
