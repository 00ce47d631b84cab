package org.setun.web;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.engine.FinishReason;

/** The answers of {@code POST /v1/completions}: chunks and whole answers have the same choices. */
final class CompletionFormat implements AnswerFormat {

    @Override
    public String idPrefix() {
        return "cmpl-";
    }

    @Override
    public String answerObject() {
        return "text_completion";
    }

    @Override
    public String chunkObject() {
        return "text_completion";
    }

    @Override
    public List<Object> opening() {
        return List.of();
    }

    @Override
    public Object delta(int index, String text) {
        return new Choice(index, text, null, null);
    }

    @Override
    public Object end(int index, FinishReason reason) {
        return choice(index, "", reason);
    }

    @Override
    public Object choice(int index, String text, FinishReason reason) {
        return new Choice(index, text, null, AnswerFormat.finishReason(reason));
    }

    /** A choice; {@code logprobs} is always null yet. */
    record Choice(
            int index,
            String text,
            @Nullable Object logprobs,
            @Nullable String finishReason) {}
}
