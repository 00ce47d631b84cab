package org.setun.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;

/**
 * The answers of {@code POST /v1/chat/completions}.
 *
 * @param withLogprobs whether the log probabilities of tokens are shown
 */
record ChatFormat(boolean withLogprobs) implements AnswerFormat {

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
    public List<Object> opening(int index) {
        return List.of(new ChunkChoice(index, new Delta(ROLE, ""), null, null, null));
    }

    @Override
    public List<Object> prompt(int index, GenerationEvent.Prompt prompt) {
        return List.of();
    }

    @Override
    public Object delta(int index, GenerationEvent.Text more) {
        return new ChunkChoice(index, new Delta(null, more.text()), logprobs(more), null, null);
    }

    @Override
    public Object end(int index, GenerationEvent.Finished end) {
        return new ChunkChoice(
                index,
                new Delta(null, null),
                null,
                AnswerFormat.finishReason(end.reason()),
                AnswerFormat.sparsity(end));
    }

    @Override
    public Object choice(int index, GatheredChoice gathered) {
        GenerationEvent.Text whole = gathered.whole();
        Message message = new Message(ROLE, whole.text(), null);
        return new Choice(
                index,
                message,
                logprobs(whole),
                AnswerFormat.finishReason(gathered.end().reason()),
                AnswerFormat.sparsity(gathered.end()));
    }

    private @Nullable ChatLogprobs logprobs(GenerationEvent.Text text) {
        return withLogprobs ? ChatLogprobs.of(text.tokens()) : null;
    }

    /** A choice of a whole answer; {@code sparsity} is left out unless asked for. */
    record Choice(
            int index,
            Message message,
            @Nullable ChatLogprobs logprobs,
            String finishReason,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            ActivityBody sparsity) {}

    /** The assistant's turn; {@code refusal} is always null. */
    record Message(String role, String content, @Nullable String refusal) {}

    /** A choice of a chunk; {@code sparsity} is left out but for its end, if it was asked for. */
    record ChunkChoice(
            int index,
            Delta delta,
            @Nullable ChatLogprobs logprobs,
            @Nullable String finishReason,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            ActivityBody sparsity) {}

    /** What a chunk adds to the assistant's turn; what it does not add is left out. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Delta(@Nullable String role, @Nullable String content) {}
}
