package org.setun.generation;

import java.util.OptionalInt;

/**
 * What the owner of a request is told beyond the text of the answer.
 *
 * @param scores how many alternatives to name beside each of the answer's tokens with its log probability; empty for no scores
 * @param promptScores the same for the prompt's tokens
 * @param echo whether the prompt is the beginning of the answer's text: tokens' offsets count from there
 * @param activity whether to tell what the model did
 * @param timings whether to tell how long the parts of the request took
 */
public record AnswerDetails(
        OptionalInt scores, OptionalInt promptScores, boolean echo, boolean activity, boolean timings) {

    /** The text only. */
    public static final AnswerDetails NONE = new AnswerDetails(OptionalInt.empty(), OptionalInt.empty(), false);

    /** Creates details without what the model did and how long it took. */
    public AnswerDetails(OptionalInt scores, OptionalInt promptScores, boolean echo) {
        this(scores, promptScores, echo, false, false);
    }

    /** Creates details of the answer's tokens. */
    public static AnswerDetails ofAnswer(OptionalInt scores) {
        return new AnswerDetails(scores, OptionalInt.empty(), false);
    }

    /** Returns the same with scores, as many alternatives as before or none. */
    public AnswerDetails withAnyScores() {
        return scores.isPresent() ? this : new AnswerDetails(OptionalInt.of(0), promptScores, echo, activity, timings);
    }

    /** Returns the same with what the model did, or without. */
    public AnswerDetails withActivity(boolean told) {
        return new AnswerDetails(scores, promptScores, echo, told, timings);
    }

    /** Returns the same with how long the parts of the request took, or without. */
    public AnswerDetails withTimings(boolean told) {
        return new AnswerDetails(scores, promptScores, echo, activity, told);
    }

    /** Returns whether there is a {@link GenerationEvent.Prompt}. */
    public boolean tellPrompt() {
        return echo || promptScores.isPresent();
    }
}
