package org.setun.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.core.JsonGenerator;

/**
 * How a byte-level tokenizer cuts text into words, within which it then merges. A GGUF file says it by a name in
 * {@code tokenizer.ggml.pre}; what each name means is what the {@code tokenizer.json} of the models says that llama.cpp's
 * conversion gives the name to.
 */
enum SplitRule {
    /** Of Llama 3; Falcon 3 and Falcon-E, a name of bitnet.cpp's, split alike. */
    LLAMA_3(
            "llama-bpe, llama3, llama-v3, falcon3, falcon_e",
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            true,
            true),
    /** Llama 3's words, merged from their bytes even where a word is a token. */
    SMAUG("smaug-bpe", LLAMA_3.pattern, false, false),
    GPT_2("gpt-2, default", "", false, false),
    /** Of SmolLM and StarCoder: GPT-2's words, digits one by one. */
    SINGLE_DIGITS("smollm, starcoder", "", false, false),
    QWEN_2(
            "qwen2",
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            false,
            false),
    /** Of Mistral NeMo. */
    TEKKEN(
            "tekken",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                    + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
                    + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            true,
            true);

    private static final String COMMA = ", ";

    /** The names in files, a comma between them. */
    private final String names;

    /** The words, as a regular expression; empty for GPT-2's, which the library knows by itself. */
    private final String pattern;

    private final boolean ignoreMerges;
    private final boolean addBos;

    SplitRule(String names, String pattern, boolean ignoreMerges, boolean addBos) {
        this.names = names;
        this.pattern = pattern;
        this.ignoreMerges = ignoreMerges;
        this.addBos = addBos;
    }

    /** Returns the rule of a name, if it is a known one. */
    static Optional<SplitRule> named(String name) {
        return Arrays.stream(values())
                .filter(rule -> List.of(rule.names.split(COMMA)).contains(name))
                .findFirst();
    }

    /** Returns all known names, for messages. */
    static String knownNames() {
        return Arrays.stream(values()).map(rule -> rule.names).collect(Collectors.joining(COMMA));
    }

    /** Tells whether a word that is a token is taken whole, before any merging. */
    boolean ignoreMerges() {
        return ignoreMerges;
    }

    /** Tells whether encoding begins with the bos token where the file does not say, as in llama.cpp. */
    boolean addBos() {
        return addBos;
    }

    /** Writes the {@code normalizer} of a {@code tokenizer.json}. */
    void writeNormalizer(JsonGenerator json) {
        if (this == QWEN_2) {
            json.writeStartObject();
            json.writeStringProperty("type", "NFC");
            json.writeEndObject();
        } else {
            json.writeNull();
        }
    }

    /** Writes the {@code pre_tokenizer} of a {@code tokenizer.json}. */
    void writePreTokenizer(JsonGenerator json) {
        json.writeStartObject();
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart("pretokenizers");
        if (this == SINGLE_DIGITS) {
            json.writeStartObject();
            json.writeStringProperty("type", "Digits");
            json.writeBooleanProperty("individual_digits", true);
            json.writeEndObject();
        }
        if (!pattern.isEmpty()) {
            json.writeStartObject();
            json.writeStringProperty("type", "Split");
            json.writeObjectPropertyStart("pattern");
            json.writeStringProperty("Regex", pattern);
            json.writeEndObject();
            json.writeStringProperty("behavior", "Isolated");
            json.writeBooleanProperty("invert", false);
            json.writeEndObject();
        }
        writeByteLevel(json, pattern.isEmpty());
        json.writeEndArray();
        json.writeEndObject();
    }

    /**
     * Writes the part that maps bytes to GPT-2's alphabet, or back.
     *
     * @param split whether to split by GPT-2's rule before
     */
    static void writeByteLevel(JsonGenerator json, boolean split) {
        json.writeStartObject();
        json.writeStringProperty("type", "ByteLevel");
        json.writeBooleanProperty("add_prefix_space", false);
        json.writeBooleanProperty("trim_offsets", true);
        json.writeBooleanProperty("use_regex", split);
        json.writeEndObject();
    }
}
