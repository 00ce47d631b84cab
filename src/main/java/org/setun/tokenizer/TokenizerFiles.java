package org.setun.tokenizer;

import java.util.Map;

/**
 * A tokenizer as the files of a checkpoint directory, which {@link Tokenizer#load(java.nio.file.Path)} reads.
 *
 * @param tokenizer {@code tokenizer.json}
 * @param config {@code tokenizer_config.json}
 */
public record TokenizerFiles(byte[] tokenizer, byte[] config) {

    static final String TOKENIZER = "tokenizer.json";
    static final String CONFIG = "tokenizer_config.json";

    /**
     * Writes the files that a GGUF file's vocabulary amounts to.
     *
     * @throws TokenizerFormatException if the vocabulary contradicts itself, or this version cannot read such a one
     */
    public static TokenizerFiles of(GgufVocabulary vocabulary) throws TokenizerFormatException {
        GgufTokenizerWriter writer = new GgufTokenizerWriter(vocabulary);
        return new TokenizerFiles(writer.tokenizer(), writer.config());
    }

    /** Returns the files under their names. */
    public Map<String, byte[]> byName() {
        return Map.of(TOKENIZER, tokenizer, CONFIG, config);
    }
}
