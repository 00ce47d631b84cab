package org.setun.web;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;

/**
 * The answers of {@code POST /v1/completions}: chunks and whole answers have the same choices.
 *
 * @param withLogprobs whether the log probabilities of tokens are shown
 */
record CompletionFormat(boolean withLogprobs) implements AnswerFormat {

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
    public List<Object> opening(int index) {
        return List.of();
    }

    @Override
    public Object delta(int index, GenerationEvent.Text more) {
        return new Choice(index, more.text(), logprobs(more), null);
    }

    @Override
    public Object end(int index, FinishReason reason) {
        return new Choice(index, "", null, AnswerFormat.finishReason(reason));
    }

    @Override
    public Object choice(int index, GenerationEvent.Text whole, FinishReason reason) {
        return new Choice(index, whole.text(), logprobs(whole), AnswerFormat.finishReason(reason));
    }

    private @Nullable CompletionLogprobs logprobs(GenerationEvent.Text text) {
        return withLogprobs ? CompletionLogprobs.of(text.tokens()) : null;
    }

    /** A choice. */
    record Choice(
            int index,
            String text,
            @Nullable CompletionLogprobs logprobs,
            @Nullable String finishReason) {}
}
