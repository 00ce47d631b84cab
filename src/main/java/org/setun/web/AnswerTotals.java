package org.setun.web;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.setun.generation.GenerationEvent;

/** Adds up what the answers to one request took, for its line in the log. Thread-safe. */
final class AnswerTotals {

    private final Set<String> reasons = new TreeSet<>();
    private int promptTokens;
    private int cachedTokens;
    private int completionTokens;

    /** Takes the end of an answer; only of the first to each prompt the prompt's tokens count. */
    synchronized void add(boolean firstOfPrompt, GenerationEvent.Finished end) {
        if (firstOfPrompt) {
            promptTokens += end.usage().promptTokens();
            cachedTokens += end.usage().cachedTokens();
        }
        completionTokens += end.usage().completionTokens();
        reasons.add(AnswerFormat.finishReason(end.reason()));
    }

    /** Tells {@code field} the totals, and returns them in words that go on with a line; nothing if no answer has ended. */
    synchronized String describe(BiConsumer<String, Object> field) {
        if (reasons.isEmpty()) {
            return "";
        }
        String reason = String.join(" ", reasons);
        field.accept("prompt_tokens", promptTokens);
        field.accept("cached_tokens", cachedTokens);
        field.accept("completion_tokens", completionTokens);
        field.accept("finish_reason", reason);
        return ": " + promptTokens + " + " + completionTokens + " tokens, " + reason;
    }
}
