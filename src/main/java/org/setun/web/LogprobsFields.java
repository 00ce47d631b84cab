package org.setun.web;

import java.util.OptionalInt;
import org.setun.generation.AnswerDetails;

/** Reads the fields that ask for log probabilities, which the two endpoints name differently. */
final class LogprobsFields {

    /** How many alternatives a token may have in an answer, as in OpenAI's chat; its completions have at most 5. */
    static final int MAX_ALTERNATIVES = 20;

    private LogprobsFields() {}

    /**
     * Reads the fields of a completion: {@code logprobs} is the number of alternatives, and with {@code echo} it counts for the
     * prompt too; {@code prompt_logprobs} is for the prompt alone.
     */
    static AnswerDetails readCompletion(JsonFields fields, boolean stream) {
        OptionalInt answer = fields.integer("logprobs", 0, MAX_ALTERNATIVES);
        OptionalInt prompt = fields.integer("prompt_logprobs", 0, MAX_ALTERNATIVES);
        if (prompt.isPresent() && stream) {
            throw ApiException.invalidValue(
                    "prompt_logprobs", "prompt_logprobs: expected only without \"stream\": true");
        }
        return new AnswerDetails(answer, prompt, fields.flag("echo", false));
    }

    /** Reads the fields of a chat: {@code logprobs} says whether, {@code top_logprobs} how many alternatives. */
    static AnswerDetails readChat(JsonFields fields) {
        boolean wanted = fields.flag("logprobs", false);
        int alternatives = fields.integer("top_logprobs", 0, MAX_ALTERNATIVES).orElse(0);
        if (alternatives > 0 && !wanted) {
            throw ApiException.invalidValue(
                    "top_logprobs", "top_logprobs: expected only together with \"logprobs\": true");
        }
        return wanted ? AnswerDetails.ofAnswer(OptionalInt.of(alternatives)) : AnswerDetails.NONE;
    }
}
