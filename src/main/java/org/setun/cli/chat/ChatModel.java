package org.setun.cli.chat;

import java.util.List;
import org.setun.generation.Generator;
import org.setun.tokenizer.ChatMessage;
import org.setun.tokenizer.ChatTemplateException;

/**
 * Who answers.
 *
 * @param name what to call the model before the user
 * @param generator answers conversations
 * @param promptLength tells how long a conversation is
 * @param contextLength how many tokens a conversation and its next answer may have together
 * @param activationSparsity the fraction of activations to drop at least; at least 0 and less than 1
 */
public record ChatModel(
        String name, Generator generator, PromptLength promptLength, int contextLength, double activationSparsity) {

    /** Counts the tokens of a conversation. */
    @FunctionalInterface
    public interface PromptLength {

        /**
         * Returns how many tokens the model reads before it answers {@code messages}.
         *
         * @throws ChatTemplateException if the model's chat template refuses them
         */
        int of(List<ChatMessage> messages) throws ChatTemplateException;
    }
}
