package org.setun;

import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.setun.tokenizer.ChatMessage;
import org.setun.tokenizer.ChatTemplateException;
import org.setun.tokenizer.IncrementalDecoder;
import org.setun.tokenizer.Tokenizer;

/**
 * The tokenizer of another model, for one with random weights: what such a model writes is nonsense in any words, and so each id that the
 * tokenizer lacks is written as one that it has. Thread-safe.
 *
 * @param words the tokenizer whose tokens are used; closed with this one
 * @param vocabSize how many ids the model knows, at least as many as the tokenizer
 */
record NonsenseTokenizer(Tokenizer words, int vocabSize) implements Tokenizer {

    NonsenseTokenizer {
        if (vocabSize < words.vocabSize()) {
            throw new IllegalArgumentException(
                    "expected a model of " + words.vocabSize() + " token ids or more, found " + vocabSize);
        }
    }

    private int word(int id) {
        return id % words.vocabSize();
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        return words.encode(text, addSpecialTokens);
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        int[] known = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            known[i] = word(ids[i]);
        }
        return words.decode(known, skipSpecialTokens);
    }

    @Override
    public IncrementalDecoder decoder(boolean skipSpecialTokens) {
        IncrementalDecoder decoder = words.decoder(skipSpecialTokens);
        return new IncrementalDecoder() {
            @Override
            public String append(int id) {
                return decoder.append(word(id));
            }

            @Override
            public String flush() {
                return decoder.flush();
            }
        };
    }

    @Override
    public byte[] tokenBytes(int id) {
        return words.tokenBytes(word(id));
    }

    @Override
    public OptionalInt tokenId(String token) {
        return words.tokenId(token);
    }

    @Override
    public OptionalInt bosId() {
        return words.bosId();
    }

    @Override
    public OptionalInt eosId() {
        return words.eosId();
    }

    @Override
    public Set<Integer> stopIds() {
        return words.stopIds();
    }

    @Override
    public boolean hasChatTemplate() {
        return words.hasChatTemplate();
    }

    @Override
    public String renderChat(List<ChatMessage> messages, boolean addGenerationPrompt) throws ChatTemplateException {
        return words.renderChat(messages, addGenerationPrompt);
    }

    @Override
    public void close() {
        words.close();
    }
}
