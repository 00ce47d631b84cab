package org.setun.generation;

import java.util.OptionalInt;

/**
 * What the owner of a request is told beyond the text of the answer.
 *
 * @param scores how many alternatives to name beside each of the answer's tokens with its log probability; empty for no scores
 * @param promptScores the same for the prompt's tokens
 * @param echo whether the prompt is the beginning of the answer's text: tokens' offsets count from there
 */
public record AnswerDetails(OptionalInt scores, OptionalInt promptScores, boolean echo) {

    /** The text only. */
    public static final AnswerDetails NONE = new AnswerDetails(OptionalInt.empty(), OptionalInt.empty(), false);

    /** Creates details of the answer's tokens. */
    public static AnswerDetails ofAnswer(OptionalInt scores) {
        return new AnswerDetails(scores, OptionalInt.empty(), false);
    }

    /** Returns the same with scores, as many alternatives as before or none. */
    public AnswerDetails withAnyScores() {
        return scores.isPresent() ? this : new AnswerDetails(OptionalInt.of(0), promptScores, echo);
    }

    /** Returns whether there is a {@link GenerationEvent.Prompt}. */
    public boolean tellPrompt() {
        return echo || promptScores.isPresent();
    }
}
