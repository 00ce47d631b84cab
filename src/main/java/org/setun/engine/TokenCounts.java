package org.setun.engine;

/**
 * The tokens of a request.
 *
 * @param prompt the prompt's length
 * @param cached how many of the prompt's first tokens were not computed, as their state was known
 * @param stored how many of the cached ones a {@link PrefixStore} knew and the engine's own memory did not
 * @param completion how many tokens were generated, a final stop token included
 */
public record TokenCounts(int prompt, int cached, int stored, int completion) {

    /** Counts the tokens of a request for which no store was of use. */
    public TokenCounts(int prompt, int cached, int completion) {
        this(prompt, cached, 0, completion);
    }
}
