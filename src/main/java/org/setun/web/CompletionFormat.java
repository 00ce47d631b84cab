package org.setun.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;
import org.setun.generation.TextToken;

/**
 * The answers of {@code POST /v1/completions}: chunks and whole answers have the same choices.
 *
 * @param logprobs how many alternatives each token's log probability is shown with; empty for no log probabilities
 * @param promptLogprobs the same for vLLM's field on the prompt
 * @param echo whether a choice begins with its prompt
 */
record CompletionFormat(OptionalInt logprobs, OptionalInt promptLogprobs, boolean echo) implements AnswerFormat {

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
    public List<Object> prompt(int index, GenerationEvent.Prompt prompt) {
        return echo ? List.of(new Choice(index, prompt.text(), shown(prompt.tokens()), null, null, null)) : List.of();
    }

    @Override
    public Object delta(int index, GenerationEvent.Text more) {
        return new Choice(index, more.text(), shown(more.tokens()), null, null, null);
    }

    @Override
    public Object end(int index, GenerationEvent.Finished end) {
        return new Choice(index, "", null, AnswerFormat.finishReason(end.reason()), null, AnswerFormat.sparsity(end));
    }

    @Override
    public Object choice(int index, GatheredChoice gathered) {
        GenerationEvent.Text answer = gathered.whole();
        String text = answer.text();
        List<TextToken> tokens = new ArrayList<>();
        Optional<GenerationEvent.Prompt> echoed = gathered.prompt().filter(prompt -> echo);
        if (echoed.isPresent()) {
            text = echoed.get().text() + text;
            tokens.addAll(echoed.get().tokens());
        }
        tokens.addAll(answer.tokens());
        return new Choice(
                index,
                text,
                shown(tokens),
                AnswerFormat.finishReason(gathered.end().reason()),
                promptLogprobs.isEmpty()
                        ? null
                        : PromptLogprobs.of(gathered.prompt().orElseThrow().tokens(), promptLogprobs.getAsInt()),
                AnswerFormat.sparsity(gathered.end()));
    }

    private @Nullable CompletionLogprobs shown(List<TextToken> tokens) {
        return logprobs.isEmpty() ? null : CompletionLogprobs.of(tokens, logprobs.getAsInt());
    }

    /** A choice; {@code promptLogprobs} and {@code sparsity} are left out unless asked for, and where a choice does not end. */
    record Choice(
            int index,
            String text,
            @Nullable CompletionLogprobs logprobs,
            @Nullable String finishReason,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            List<@Nullable Map<Integer, PromptLogprobs>> promptLogprobs,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            ActivityBody sparsity) {}
}
