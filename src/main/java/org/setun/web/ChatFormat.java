package org.setun.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.engine.FinishReason;

/** The answers of {@code POST /v1/chat/completions}. */
final class ChatFormat implements AnswerFormat {

    private static final String ROLE = "assistant";

    @Override
    public String idPrefix() {
        return "chatcmpl-";
    }

    @Override
    public String answerObject() {
        return "chat.completion";
    }

    @Override
    public String chunkObject() {
        return "chat.completion.chunk";
    }

    @Override
    public List<Object> opening() {
        return List.of(new ChunkChoice(0, new Delta(ROLE, ""), null, null));
    }

    @Override
    public Object delta(int index, String text) {
        return new ChunkChoice(index, new Delta(null, text), null, null);
    }

    @Override
    public Object end(int index, FinishReason reason) {
        return new ChunkChoice(index, new Delta(null, null), null, AnswerFormat.finishReason(reason));
    }

    @Override
    public Object choice(int index, String text, FinishReason reason) {
        return new Choice(index, new Message(ROLE, text, null), null, AnswerFormat.finishReason(reason));
    }

    /** A choice of a whole answer; {@code logprobs} is always null yet. */
    record Choice(int index, Message message, @Nullable Object logprobs, String finishReason) {}

    /** The assistant's turn; {@code refusal} is always null. */
    record Message(String role, String content, @Nullable String refusal) {}

    /** A choice of a chunk; {@code logprobs} is always null yet. */
    record ChunkChoice(
            int index,
            Delta delta,
            @Nullable Object logprobs,
            @Nullable String finishReason) {}

    /** What a chunk adds to the assistant's turn; what it does not add is left out. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Delta(@Nullable String role, @Nullable String content) {}
}
