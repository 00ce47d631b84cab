package org.setun.web;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.setun.web.AnswerFormat.UsageBody;

/**
 * What an answer and all of its chunks have in common.
 *
 * @param format how the endpoint writes choices
 * @param id the answer's name
 * @param created when it was begun, in seconds since 1970
 * @param model the model's name
 */
record AnswerHead(AnswerFormat format, String id, long created, String model) {

    /** Returns the head of a new answer. */
    static AnswerHead next(AnswerFormat format, String model) {
        String id = format.idPrefix() + UUID.randomUUID().toString().replace("-", "");
        return new AnswerHead(format, id, Instant.now().getEpochSecond(), model);
    }

    /** Returns a whole answer. */
    Object answer(List<Object> choices, UsageBody usage, @Nullable Timings timings) {
        return new AnswerFormat.Answer(id, format.answerObject(), created, model, choices, usage, timings);
    }

    /** Returns a chunk without usage. */
    Object chunk(List<Object> choices, @Nullable Timings timings) {
        return new AnswerFormat.Chunk(id, format.chunkObject(), created, model, choices, timings);
    }

    /** Returns a chunk of a stream that reports its usage, which is null in all chunks but the last. */
    Object chunk(List<Object> choices, @Nullable UsageBody usage, @Nullable Timings timings) {
        return new AnswerFormat.Answer(id, format.chunkObject(), created, model, choices, usage, timings);
    }
}
