package org.setun.generation;

/**
 * Token counts of a request.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedTokens how many of them were not computed, as their state was known
 * @param completionTokens tokens generated
 */
public record Usage(int promptTokens, int cachedTokens, int completionTokens) {

    /** Creates the usage of a request whose prompt was computed. */
    public Usage(int promptTokens, int completionTokens) {
        this(promptTokens, 0, completionTokens);
    }

    /** Returns both together. */
    public int totalTokens() {
        return promptTokens + completionTokens;
    }
}
