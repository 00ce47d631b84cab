package org.setun.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.Usage;

/** How an endpoint that generates text writes its answer. */
sealed interface AnswerFormat permits ChatFormat, CompletionFormat {

    /** What every answer's id begins with. */
    String idPrefix();

    /** The value of {@code object} in a whole answer. */
    String answerObject();

    /** The value of {@code object} in a chunk of a streamed one. */
    String chunkObject();

    /** Returns the choices of a chunk that comes before any text of a choice; empty for no such chunk. */
    List<Object> opening(int index);

    /** Returns the choices of a chunk that shows a choice's prompt; empty for no such chunk. */
    List<Object> prompt(int index, GenerationEvent.Prompt prompt);

    /** Returns a chunk's choice that carries more text. */
    Object delta(int index, GenerationEvent.Text more);

    /** Returns a chunk's choice that ends it. */
    Object end(int index, GenerationEvent.Finished end);

    /** Returns a choice of a whole answer. */
    Object choice(int index, GatheredChoice gathered);

    /** Returns what a choice shows of what the model did; null where nobody asked. */
    static @Nullable ActivityBody sparsity(GenerationEvent.Finished end) {
        return end.activity() == null ? null : ActivityBody.ofRequest(end.activity());
    }

    /** Returns OpenAI's word for {@code reason}. */
    static String finishReason(FinishReason reason) {
        return switch (reason) {
            case STOP -> "stop";
            // What there is of it is good; the client said how long to go on.
            case LENGTH, TIMEOUT -> "length";
            case CANCELLED -> throw new IllegalArgumentException("a cancelled answer has no reader");
        };
    }

    /**
     * A whole answer, or a chunk of a stream that reports its usage.
     *
     * @param usage null in all chunks but the last
     * @param timings left out unless asked for, and in all chunks but the last
     */
    record Answer(
            String id,
            String object,
            long created,
            String model,
            List<Object> choices,
            @Nullable UsageBody usage,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Timings timings) {}

    /**
     * A chunk of a stream that does not report its usage.
     *
     * @param timings left out unless asked for, and in all chunks but the last
     */
    record Chunk(
            String id,
            String object,
            long created,
            String model,
            List<Object> choices,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Timings timings) {}

    /** Token counts. */
    record UsageBody(int promptTokens, int completionTokens, int totalTokens, PromptTokensDetails promptTokensDetails) {

        /** How many of the prompts' tokens were not computed, as their state was known. */
        record PromptTokensDetails(int cachedTokens) {}

        /**
         * Returns the counts of all of a request's answers together; a prompt counts once, whatever answers it has.
         *
         * @param usages those of all answers in their order
         * @param answersPerPrompt how many of them follow one another for each prompt
         */
        static UsageBody sum(List<Usage> usages, int answersPerPrompt) {
            int prompt = 0;
            int cached = 0;
            int completion = 0;
            for (int i = 0; i < usages.size(); i++) {
                if (i % answersPerPrompt == 0) {
                    prompt += usages.get(i).promptTokens();
                    cached += usages.get(i).cachedTokens();
                }
                completion += usages.get(i).completionTokens();
            }
            return new UsageBody(prompt, completion, prompt + completion, new PromptTokensDetails(cached));
        }
    }
}
