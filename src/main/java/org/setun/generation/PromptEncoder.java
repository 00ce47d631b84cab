package org.setun.generation;

import java.time.Duration;
import java.util.Arrays;
import org.setun.tokenizer.ChatTemplateException;
import org.setun.tokenizer.Tokenizer;

/** Turns prompts into token ids. Thread-safe. */
final class PromptEncoder {

    private final Tokenizer tokenizer;
    private final int vocabSize;
    private final GenerationObserver observer;

    /** Creates an encoder for a model that knows {@code vocabSize} token ids. */
    PromptEncoder(Tokenizer tokenizer, int vocabSize, GenerationObserver observer) {
        this.tokenizer = tokenizer;
        this.vocabSize = vocabSize;
        this.observer = observer;
    }

    /**
     * Returns a prompt's ids, at least one.
     *
     * @throws InvalidPromptException if it has none, or one that the model does not know, or it does not fit the chat template
     */
    int[] encode(Prompt prompt) throws InvalidPromptException {
        long start = System.nanoTime();
        int[] ids = switch (prompt) {
            case Prompt.Text text -> tokenizer.encode(text.text(), true);
            case Prompt.Tokens tokens ->
                tokens.ids().stream().mapToInt(Integer::intValue).toArray();
            // The template writes the special tokens itself: adding them here would make two beginnings.
            case Prompt.Chat chat -> tokenizer.encode(render(chat), false);
        };
        observer.tokenized(Duration.ofNanos(System.nanoTime() - start));
        if (ids.length == 0) {
            throw new InvalidPromptException(
                    "invalid_value",
                    "The prompt has no tokens, and this model has no token to begin an empty text with.");
        }
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabSize) {
                throw new InvalidPromptException(
                        "invalid_value",
                        "Token " + i + " of the prompt is " + ids[i] + "; this model's token ids go from 0 to "
                                + (vocabSize - 1) + ".");
            }
        }
        return ids;
    }

    private String render(Prompt.Chat chat) throws InvalidPromptException {
        try {
            return tokenizer.renderChat(chat.messages());
        } catch (ChatTemplateException e) {
            throw new InvalidPromptException(
                    "invalid_value", "The messages do not fit the chat template: " + e.getMessage(), e);
        }
    }

    /** Returns the text of a prompt whose ids are {@code ids}: a text as it was given, and what others decode to. */
    String text(Prompt prompt, int[] ids) {
        return prompt instanceof Prompt.Text given ? given.text() : tokenizer.decode(readable(ids, tokenizer), true);
    }

    /** Returns the ids that stand for something: a model may know more ids than its tokenizer, which cannot decode those. */
    static int[] readable(int[] ids, Tokenizer tokenizer) {
        return Arrays.stream(ids)
                .filter(id -> tokenizer.tokenBytes(id).length > 0)
                .toArray();
    }
}
