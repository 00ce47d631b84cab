package org.setun.tokenizer;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes the vocabulary of a GGUF file as the documents of Hugging Face's tokenizers library, which then encodes as the
 * library does for the model that the file was converted from.
 */
final class GgufTokenizerWriter {

    /** The {@code tokenizer.ggml.model} of byte-level BPE. */
    static final String BYTE_LEVEL = "gpt2";

    /** The {@code tokenizer.ggml.model} of SentencePiece's pieces with scores. */
    static final String SCORED = "llama";

    private static final int BYTES = 256;
    private static final String METASPACE = "\u2581";

    /** Llama 3's; the conversion that Microsoft published BitNet b1.58 2B4T with names no rule. */
    private static final List<String> LLAMA_3_TOKENS = List.of("<|begin_of_text|>", "<|eot_id|>");

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final GgufVocabulary vocabulary;
    private final GgufTokens tokens;
    private final Optional<SplitRule> splitRule;
    private final boolean addBos;
    private final boolean addEos;
    private final boolean addSpacePrefix;

    /** @throws TokenizerFormatException if this version cannot read such a vocabulary */
    GgufTokenizerWriter(GgufVocabulary vocabulary) throws TokenizerFormatException {
        this.vocabulary = vocabulary;
        boolean scored = vocabulary.model().equals(SCORED);
        if (!scored && !vocabulary.model().equals(BYTE_LEVEL)) {
            throw vocabulary.fault(
                    "model",
                    "expected " + BYTE_LEVEL + " (byte-level BPE) or " + SCORED + " (pieces with scores), found "
                            + Json.quote(vocabulary.model()));
        }
        this.tokens = new GgufTokens(vocabulary);
        this.splitRule = scored ? Optional.empty() : Optional.of(splitRule());
        boolean addBosByDefault = splitRule.map(SplitRule::addBos).orElse(true);
        this.addBos = added("bos", vocabulary.addBos(), addBosByDefault, tokens.bos());
        this.addEos = added("eos", vocabulary.addEos(), false, tokens.eos());
        this.addSpacePrefix = scored && vocabulary.addSpacePrefix().orElse(true);
        if (scored) {
            requireEveryCharacter();
        }
    }

    private SplitRule splitRule() throws TokenizerFormatException {
        String name = vocabulary.pre().orElse("");
        if (name.isEmpty()) {
            return tokens.containsAll(LLAMA_3_TOKENS) ? SplitRule.LLAMA_3 : SplitRule.GPT_2;
        }
        return SplitRule.named(name)
                .orElseThrow(() -> vocabulary.fault(
                        "pre", "expected one of " + SplitRule.knownNames() + ", found " + Json.quote(name)));
    }

    private boolean added(String role, Optional<Boolean> given, boolean byDefault, OptionalInt id)
            throws TokenizerFormatException {
        if (given.orElse(false) && id.isEmpty()) {
            throw vocabulary.fault(
                    "add_" + role + "_token", "expected a " + role + "_token_id to be added, found no such key");
        }
        return given.orElse(byDefault) && id.isPresent();
    }

    /** A character that is no piece becomes its bytes or the unknown token; without either it would vanish. */
    private void requireEveryCharacter() throws TokenizerFormatException {
        if (tokens.unknown().isPresent()) {
            return;
        }
        for (int value = 0; value < BYTES; value++) {
            String name = "<0x%02X>".formatted(value);
            if (tokens.id(name).isEmpty()) {
                throw vocabulary.fault("tokens", "expected an unknown token or one for each byte, found no " + name);
            }
        }
    }

    /** Returns {@code tokenizer.json}. */
    byte[] tokenizer() throws TokenizerFormatException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = MAPPER.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringProperty("version", "1.0");
            json.writeNullProperty("truncation");
            json.writeNullProperty("padding");
            writeAddedTokens(json);
            json.writeName("normalizer");
            writeNormalizer(json);
            json.writeName("pre_tokenizer");
            if (splitRule.isPresent()) {
                splitRule.get().writePreTokenizer(json);
            } else {
                json.writeNull();
            }
            json.writeName("post_processor");
            writePostProcessor(json);
            json.writeName("decoder");
            writeDecoder(json);
            json.writeName("model");
            new MergingModel(vocabulary, tokens, splitRule).writeTo(json);
            json.writeEndObject();
        }
        return out.toByteArray();
    }

    /** Returns {@code tokenizer_config.json}. */
    byte[] config() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = MAPPER.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringProperty("tokenizer_class", "PreTrainedTokenizerFast");
            json.writeBooleanProperty("clean_up_tokenization_spaces", false);
            json.writeBooleanProperty("add_bos_token", addBos);
            json.writeBooleanProperty("add_eos_token", addEos);
            tokens.roles().forEach((role, id) -> json.writeStringProperty(role, tokens.text(id)));
            vocabulary.chatTemplate().ifPresent(template -> json.writeStringProperty("chat_template", template));
            json.writeEndObject();
        }
        return out.toByteArray();
    }

    /** Writes the tokens that are looked for first; of several ids of one text the one that counts last. */
    private void writeAddedTokens(JsonGenerator json) {
        json.writeArrayPropertyStart("added_tokens");
        for (boolean duplicate : new boolean[] {true, false}) {
            for (int id = 0; id < tokens.size(); id++) {
                if (!tokens.isAdded(id) || tokens.isDuplicate(id) != duplicate) {
                    continue;
                }
                json.writeStartObject();
                json.writeNumberProperty("id", id);
                json.writeStringProperty("content", tokens.text(id));
                json.writeBooleanProperty("single_word", false);
                json.writeBooleanProperty("lstrip", false);
                json.writeBooleanProperty("rstrip", false);
                json.writeBooleanProperty("normalized", false);
                json.writeBooleanProperty("special", tokens.kind(id) == GgufTokens.Kind.SPECIAL);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private void writeNormalizer(JsonGenerator json) {
        if (splitRule.isPresent()) {
            splitRule.get().writeNormalizer(json);
            return;
        }
        json.writeStartObject();
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart("normalizers");
        if (addSpacePrefix) {
            // Before each part of the text that lies between special tokens, as in llama.cpp.
            json.writeStartObject();
            json.writeStringProperty("type", "Prepend");
            json.writeStringProperty("prepend", METASPACE);
            json.writeEndObject();
        }
        writeReplace(json, " ", METASPACE);
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void writeReplace(JsonGenerator json, String text, String replacement) {
        json.writeStartObject();
        json.writeStringProperty("type", "Replace");
        json.writeObjectPropertyStart("pattern");
        json.writeStringProperty("String", text);
        json.writeEndObject();
        json.writeStringProperty("content", replacement);
        json.writeEndObject();
    }

    private void writePostProcessor(JsonGenerator json) {
        if (!addBos && !addEos) {
            json.writeNull();
            return;
        }
        json.writeStartObject();
        json.writeStringProperty("type", "TemplateProcessing");
        json.writeArrayPropertyStart("single");
        writeSequence(json, "A", 0);
        json.writeEndArray();
        json.writeArrayPropertyStart("pair");
        writeSequence(json, "A", 0);
        writeSequence(json, "B", 1);
        json.writeEndArray();
        json.writeObjectPropertyStart("special_tokens");
        if (addBos) {
            writeTemplateToken(json, tokens.bos().getAsInt());
        }
        if (addEos && !(addBos && tokens.eos().equals(tokens.bos()))) {
            writeTemplateToken(json, tokens.eos().getAsInt());
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private void writeSequence(JsonGenerator json, String name, int type) {
        if (addBos) {
            writePart(json, "SpecialToken", tokens.text(tokens.bos().getAsInt()), type);
        }
        writePart(json, "Sequence", name, type);
        if (addEos) {
            writePart(json, "SpecialToken", tokens.text(tokens.eos().getAsInt()), type);
        }
    }

    private static void writePart(JsonGenerator json, String part, String id, int type) {
        json.writeStartObject();
        json.writeObjectPropertyStart(part);
        json.writeStringProperty("id", id);
        json.writeNumberProperty("type_id", type);
        json.writeEndObject();
        json.writeEndObject();
    }

    private void writeTemplateToken(JsonGenerator json, int id) {
        String text = tokens.text(id);
        json.writeObjectPropertyStart(text);
        json.writeStringProperty("id", text);
        json.writeArrayPropertyStart("ids");
        json.writeNumber(id);
        json.writeEndArray();
        json.writeArrayPropertyStart("tokens");
        json.writeString(text);
        json.writeEndArray();
        json.writeEndObject();
    }

    private void writeDecoder(JsonGenerator json) {
        if (splitRule.isPresent()) {
            SplitRule.writeByteLevel(json, true);
            return;
        }
        json.writeStartObject();
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart("decoders");
        writeReplace(json, METASPACE, " ");
        for (String type : List.of("ByteFallback", "Fuse")) {
            json.writeStartObject();
            json.writeStringProperty("type", type);
            json.writeEndObject();
        }
        if (addSpacePrefix) {
            json.writeStartObject();
            json.writeStringProperty("type", "Strip");
            json.writeStringProperty("content", " ");
            json.writeNumberProperty("start", 1);
            json.writeNumberProperty("stop", 0);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
