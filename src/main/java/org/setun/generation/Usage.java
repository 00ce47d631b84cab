package org.setun.generation;

/**
 * Token counts of a request.
 *
 * @param promptTokens tokens of the prompt
 * @param completionTokens tokens generated
 */
public record Usage(int promptTokens, int completionTokens) {

    /** Returns both together. */
    public int totalTokens() {
        return promptTokens + completionTokens;
    }
}
