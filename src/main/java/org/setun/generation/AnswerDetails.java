package org.setun.generation;

import java.util.OptionalInt;

/**
 * What the owner of a request is told beyond the text of the answer.
 *
 * @param scores how many alternatives to name beside each of the answer's tokens with its log probability; empty for no scores
 */
public record AnswerDetails(OptionalInt scores) {

    /** The text only. */
    public static final AnswerDetails NONE = new AnswerDetails(OptionalInt.empty());

    /** Returns the same with scores, as many alternatives as before or none. */
    public AnswerDetails withAnyScores() {
        return scores.isPresent() ? this : new AnswerDetails(OptionalInt.of(0));
    }
}
