package org.setun.generation;

import java.util.List;
import org.setun.tokenizer.ChatMessage;

/** What a request continues. */
public sealed interface Prompt {

    /**
     * Plain text; the tokenizer adds its beginning-of-sequence token if it has one.
     *
     * @param text the text, which may be empty
     */
    record Text(String text) implements Prompt {}

    /**
     * Token ids, taken as they are.
     *
     * @param ids the ids
     */
    record Tokens(List<Integer> ids) implements Prompt {
        public Tokens {
            ids = List.copyOf(ids);
        }
    }

    /**
     * A conversation, rendered by the model's chat template with the cue for the assistant's turn.
     *
     * @param messages at least one
     */
    record Chat(List<ChatMessage> messages) implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
        }
    }
}
