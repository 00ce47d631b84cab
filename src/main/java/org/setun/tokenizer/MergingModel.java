package org.setun.tokenizer;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JsonGenerator;

/** Writes tokens and merges of a GGUF vocabulary as the {@code model} of a {@code tokenizer.json}, which is always BPE. */
final class MergingModel {

    /** More than four times the largest known vocabulary, tokens and merges together. */
    private static final long MAX_CHARACTERS = 1 << 25;

    private final GgufVocabulary vocabulary;
    private final GgufTokens tokens;
    private final Optional<SplitRule> splitRule;
    private long characters;

    /** @param splitRule how byte-level BPE splits text; empty for pieces with scores */
    MergingModel(GgufVocabulary vocabulary, GgufTokens tokens, Optional<SplitRule> splitRule) {
        this.vocabulary = vocabulary;
        this.tokens = tokens;
        this.splitRule = splitRule;
    }

    /** @throws TokenizerFormatException if merges or scores contradict the tokens, or there is too much of them */
    void writeTo(JsonGenerator json) throws TokenizerFormatException {
        boolean scored = splitRule.isEmpty();
        json.writeStartObject();
        json.writeStringProperty("type", "BPE");
        json.writeNullProperty("dropout");
        if (scored && tokens.unknown().isPresent()) {
            json.writeStringProperty("unk_token", tokens.text(tokens.unknown().getAsInt()));
        } else {
            json.writeNullProperty("unk_token");
        }
        json.writeNullProperty("continuing_subword_prefix");
        json.writeNullProperty("end_of_word_suffix");
        json.writeBooleanProperty("fuse_unk", scored);
        json.writeBooleanProperty("byte_fallback", scored);
        json.writeBooleanProperty(
                "ignore_merges", splitRule.map(SplitRule::ignoreMerges).orElse(false));
        writeVocabulary(json);
        json.writeArrayPropertyStart("merges");
        if (scored) {
            new ScoredMerges(vocabulary, tokens).writeTo((left, right) -> writeMerge(json, left, right));
        } else {
            writeMerges(json);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** Writes all tokens. Of ids with the same text the one that counts comes last, which is what readers of JSON keep. */
    private void writeVocabulary(JsonGenerator json) throws TokenizerFormatException {
        json.writeObjectPropertyStart("vocab");
        for (boolean duplicate : new boolean[] {true, false}) {
            for (int id = 0; id < tokens.size(); id++) {
                if (tokens.isDuplicate(id) == duplicate) {
                    count(tokens.text(id));
                    json.writeNumberProperty(tokens.text(id), id);
                }
            }
        }
        json.writeEndObject();
    }

    private void writeMerges(JsonGenerator json) throws TokenizerFormatException {
        Set<String> written = new HashSet<>();
        for (int rank = 0; rank < vocabulary.merges().size(); rank++) {
            String merge = vocabulary.merges().get(rank);
            // The first character may be a space itself.
            int space = merge.indexOf(' ', 1);
            String left = space < 0 ? merge : merge.substring(0, space);
            String right = space < 0 ? "" : merge.substring(space + 1);
            for (String token : List.of(left, right, left + right)) {
                if (token.isEmpty() || tokens.id(token).isEmpty()) {
                    throw vocabulary.fault(
                            "merges",
                            "expected two tokens that make a third, found " + Json.quote(merge) + " as element "
                                    + rank);
                }
            }
            // Of two equal merges the first one counts, but the library takes the last.
            if (written.add(merge)) {
                writeMerge(json, left, right);
            }
        }
    }

    private void writeMerge(JsonGenerator json, String left, String right) throws TokenizerFormatException {
        count(left);
        count(right);
        json.writeStartArray();
        json.writeString(left);
        json.writeString(right);
        json.writeEndArray();
    }

    private void count(String text) throws TokenizerFormatException {
        characters += text.length();
        if (characters > MAX_CHARACTERS) {
            throw vocabulary.fault(
                    "tokens", "expected at most " + MAX_CHARACTERS + " characters of tokens and merges, found more");
        }
    }
}
