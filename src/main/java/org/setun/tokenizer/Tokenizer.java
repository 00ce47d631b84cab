package org.setun.tokenizer;

import java.util.List;

/** Text to token ids and back. Thread-safe. */
public interface Tokenizer extends AutoCloseable {

    /** Returns the ids of {@code text}, with the special tokens that the tokenizer's post-processor adds if wanted. */
    int[] encode(String text, boolean addSpecialTokens);

    /** Returns the text of {@code ids}, special tokens left out if wanted. */
    String decode(int[] ids, boolean skipSpecialTokens);

    /** Returns a decoder for one sequence of generated ids, special tokens left out if wanted. */
    IncrementalDecoder decoder(boolean skipSpecialTokens);

    /** Returns the number of ids, special tokens included. */
    int vocabSize();

    /**
     * Renders a conversation with the model's chat template, the cue for the assistant's turn at the end.
     *
     * @throws ChatTemplateException if there is no template, or it refuses the messages
     */
    String renderChat(List<ChatMessage> messages) throws ChatTemplateException;

    /** Frees native memory. Idempotent. */
    @Override
    void close();
}
