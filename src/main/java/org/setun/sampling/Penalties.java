package org.setun.sampling;

import java.util.OptionalInt;

/**
 * What tokens lose that the sequence has already: first its logit is divided by {@code repetition}, or multiplied if it is negative
 * (Keskar et al., arXiv 1909.05858, corrected for negative logits as everywhere); then {@code frequency} is subtracted as often as
 * the token was counted, and {@code presence} once if it was. Formulas and their order are the same in vLLM and llama-server.
 *
 * <p>Which tokens count differs between these, so it depends on {@code lastTokens}. Without it, as in vLLM: repetition looks
 * at the prompt and the answer, frequency and presence at the answer only. With it, as in llama-server: all three look at the last
 * so many tokens, of the prompt too.
 *
 * @param repetition above 0, at most {@value #MAX_REPETITION}; 1 changes nothing
 * @param presence -2 to 2; 0 changes nothing
 * @param frequency -2 to 2; 0 changes nothing
 * @param lastTokens how many of the last tokens count; 0 for none of them
 */
public record Penalties(double repetition, double presence, double frequency, OptionalInt lastTokens) {

    /** The largest divisor. */
    public static final double MAX_REPETITION = 10;

    /** The most that can be subtracted, and added: the range of OpenAI's API. */
    public static final double MAX_SUBTRACTED = 2;

    /** How many tokens count for llama-server's clients that do not say. */
    public static final int DEFAULT_LAST_TOKENS = 64;

    /** Changes nothing. */
    public static final Penalties NONE = new Penalties(1, 0, 0, OptionalInt.empty());

    public Penalties {
        Range.requirePositive("repetition_penalty", repetition, MAX_REPETITION);
        Range.require("presence_penalty", presence, -MAX_SUBTRACTED, MAX_SUBTRACTED);
        Range.require("frequency_penalty", frequency, -MAX_SUBTRACTED, MAX_SUBTRACTED);
        if (lastTokens.isPresent() && lastTokens.getAsInt() < 0) {
            throw new IllegalArgumentException("repeat_last_n: expected 0 or more, found " + lastTokens.getAsInt());
        }
    }

    boolean areOn() {
        return (repetition != 1 || presence != 0 || frequency != 0) && lastTokens.orElse(1) > 0;
    }

    /** Returns the index of the first token that the repetition penalty looks at. */
    int firstRepeated(History history) {
        return lastTokens.isPresent() ? history.startOfLast(lastTokens.getAsInt()) : 0;
    }

    /** Returns the index of the first token that frequency and presence count. */
    int firstCounted(History history) {
        return lastTokens.isPresent() ? history.startOfLast(lastTokens.getAsInt()) : history.promptTokens();
    }

    /** Returns the logit of a token that was there, {@code count} times among those that are counted. */
    float apply(float logit, int count) {
        double repeated = logit > 0 ? logit / repetition : logit * repetition;
        return (float) (repeated - count * frequency - (count > 0 ? presence : 0));
    }
}
