package org.setun.tokenizer;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** Text to token ids and back. Thread-safe. */
public interface Tokenizer extends AutoCloseable {

    /**
     * Loads the tokenizer of a checkpoint: {@code tokenizer.json}, and where they are {@code tokenizer_config.json},
     * {@code special_tokens_map.json} and {@code chat_template.jinja}. The caller closes it.
     *
     * @param checkpoint a checkpoint's directory, or a file in it
     * @throws TokenizerFormatException if {@code tokenizer.json} is missing, or a file is not what it should be
     */
    static Tokenizer load(Path checkpoint) throws TokenizerFormatException {
        return CheckpointTokenizer.load(checkpoint);
    }

    /**
     * Makes the tokenizer that a GGUF file's vocabulary amounts to. The caller closes it.
     *
     * @throws TokenizerFormatException if the vocabulary contradicts itself, or this version cannot read such a one
     */
    static Tokenizer load(GgufVocabulary vocabulary) throws TokenizerFormatException {
        return CheckpointTokenizer.load(vocabulary);
    }

    /**
     * Returns the ids of {@code text}, with the special tokens that the tokenizer's post-processor adds if wanted. A
     * surrogate without its partner counts as U+FFFD.
     */
    int[] encode(String text, boolean addSpecialTokens);

    /**
     * Returns the text of {@code ids}, special tokens left out if wanted: what {@link #decoder} gives for them,
     * joined.
     *
     * @throws IllegalArgumentException if an id is not in the vocabulary
     */
    String decode(int[] ids, boolean skipSpecialTokens);

    /** Returns a decoder for one sequence of generated ids, special tokens left out if wanted. */
    IncrementalDecoder decoder(boolean skipSpecialTokens);

    /**
     * Returns the bytes that a token stands for in the midst of a text, which need not be UTF-8: a token may be a part of a
     * character. A special token stands for its name. An id that no token has stands for nothing: models know more ids than their
     * tokenizers.
     */
    byte[] tokenBytes(int id);

    /** Returns the highest id plus one, special tokens included; some ids below it may be unused. */
    int vocabSize();

    /** Returns the id of a token by its exact name, such as {@code <|eot_id|>}. */
    OptionalInt tokenId(String token);

    /** Returns the id of the token that begins a sequence, if the files name one. */
    OptionalInt bosId();

    /** Returns the id of the token that ends a sequence, if the files name one. */
    OptionalInt eosId();

    /**
     * Returns the ids each of which ends an answer: the eos token, the eot token if the files name one, and
     * {@code <|eot_id|>} wherever there is one.
     */
    Set<Integer> stopIds();

    /** Tells whether the files have a chat template, so that {@link #renderChat} can work. */
    boolean hasChatTemplate();

    /**
     * Renders a conversation with the model's chat template, the cue for the assistant's turn at the end.
     *
     * @throws ChatTemplateException if there is no template, it refuses the messages, or it takes too long or too much
     */
    default String renderChat(List<ChatMessage> messages) throws ChatTemplateException {
        return renderChat(messages, true);
    }

    /**
     * Renders a conversation with the model's chat template.
     *
     * @param addGenerationPrompt whether the cue for the assistant's turn is to follow
     * @throws ChatTemplateException if there is no template, it refuses the messages, or it takes too long or too much
     */
    String renderChat(List<ChatMessage> messages, boolean addGenerationPrompt) throws ChatTemplateException;

    /** Frees native memory. Idempotent; nothing may be encoded afterwards. */
    @Override
    void close();
}
