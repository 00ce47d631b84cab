package org.setun.cli.chat;

import java.util.ArrayList;
import java.util.List;
import org.setun.tokenizer.ChatMessage;

/**
 * What was said so far.
 *
 * @param system how the model is told to behave; empty for nothing
 * @param turns questions and answers by turns, beginning with a question; the last question may wait for its answer
 */
record Conversation(String system, List<ChatMessage> turns) {

    private static final String SYSTEM = "system";
    private static final String USER = "user";
    private static final String ASSISTANT = "assistant";

    Conversation {
        turns = List.copyOf(turns);
    }

    /** Returns a conversation in which nothing was said. */
    static Conversation begin(String system) {
        return new Conversation(system, List.of());
    }

    /** Returns this conversation under another system prompt. */
    Conversation withSystem(String newSystem) {
        return new Conversation(newSystem, turns);
    }

    /** Returns this conversation with a question at its end. */
    Conversation asking(String question) {
        return with(new ChatMessage(USER, question));
    }

    /** Returns this conversation with the answer to its last question. */
    Conversation answered(String answer) {
        return with(new ChatMessage(ASSISTANT, answer));
    }

    private Conversation with(ChatMessage message) {
        List<ChatMessage> longer = new ArrayList<>(turns);
        longer.add(message);
        return new Conversation(system, longer);
    }

    /** Returns this conversation without its oldest question and the answer to that. */
    Conversation withoutOldestTurn() {
        return new Conversation(system, turns.subList(Math.min(2, turns.size()), turns.size()));
    }

    /** Returns this conversation as it was before the last answer, with the question that led to it. */
    Conversation withoutLastAnswer() {
        return new Conversation(system, turns.subList(0, turns.size() - 1));
    }

    /** Returns how many questions there are. */
    int questions() {
        return (turns.size() + 1) / 2;
    }

    /** Returns what a chat template renders. */
    List<ChatMessage> messages() {
        List<ChatMessage> messages = new ArrayList<>();
        if (!system.isEmpty()) {
            messages.add(new ChatMessage(SYSTEM, system));
        }
        messages.addAll(turns);
        return messages;
    }
}
