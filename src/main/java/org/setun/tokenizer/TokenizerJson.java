package org.setun.tokenizer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * What decoding needs of a {@code tokenizer.json}. The merges, most of such a file, are skipped without being kept.
 *
 * @param vocabulary the tokens, added ones included
 * @param decoder the stages from tokens to text
 */
record TokenizerJson(Vocabulary vocabulary, List<DecoderStage> decoder) {

    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String REMEDY =
            "use the tokenizer.json that was published with the model, or write one with transformers' save_pretrained";

    /** Reads the file. */
    static TokenizerJson read(Path file) throws TokenizerFormatException {
        if (!Files.isRegularFile(file)) {
            throw new TokenizerFormatException(file, "expected the checkpoint's tokenizer, found no such file", REMEDY);
        }
        try (JsonParser parser = MAPPER.createParser(file)) {
            return new Reader(file, parser).read();
        } catch (JacksonException e) {
            throw new TokenizerFormatException(file, "expected JSON, found " + Json.describe(e), REMEDY, e);
        }
    }

    /** Reads a document that was made from {@code source}. */
    static TokenizerJson read(Path source, byte[] document) throws TokenizerFormatException {
        try (JsonParser parser = MAPPER.createParser(document)) {
            return new Reader(source, parser).read();
        } catch (JacksonException e) {
            throw new TokenizerFormatException(source, "expected JSON, found " + Json.describe(e), REMEDY, e);
        }
    }

    /** One pass through the file. */
    private static final class Reader {

        private final Path file;
        private final JsonParser parser;
        private final Vocabulary.Builder vocabulary = new Vocabulary.Builder();
        private boolean vocabularyFound;
        private @Nullable JsonNode addedTokens;
        private JsonNode decoder = JsonNodeFactory.instance.nullNode();

        Reader(Path file, JsonParser parser) {
            this.file = file;
            this.parser = parser;
        }

        TokenizerJson read() throws TokenizerFormatException {
            require(parser.nextToken() == JsonToken.START_OBJECT, "expected a JSON object");
            for (String name = parser.nextName(); name != null; name = parser.nextName()) {
                parser.nextToken();
                switch (name) {
                    case "model" -> readModel();
                    case "added_tokens" -> addedTokens = parser.readValueAsTree();
                    case "post_processor" -> requireTemplateTokens(parser.readValueAsTree());
                    case "decoder" -> decoder = parser.readValueAsTree();
                    default -> parser.skipChildren();
                }
            }
            require(vocabularyFound, "expected the field model.vocab, found none");
            if (addedTokens != null) {
                for (JsonNode token : addedTokens) {
                    JsonNode content = token.path("content");
                    JsonNode id = token.path("id");
                    require(content.isString() && id.isIntegralNumber(), "added_tokens: expected content and id");
                    add(content.asString(), id.asLong(), token.path("special").asBoolean(false));
                }
            }
            return new TokenizerJson(vocabulary.build(), DecoderStages.read(decoder, file));
        }

        /** The native library ends the process where a template names a special token that it does not define. */
        private void requireTemplateTokens(JsonNode processor) throws TokenizerFormatException {
            for (JsonNode part : processor.path("processors")) {
                requireTemplateTokens(part);
            }
            JsonNode defined = processor.path("special_tokens");
            for (String template : List.of("single", "pair")) {
                for (JsonNode part : processor.path(template)) {
                    JsonNode id = part.path("SpecialToken").path("id");
                    require(
                            !id.isString() || defined.has(id.asString()),
                            "post_processor: expected '" + id.asString("") + "' of the template '" + template
                                    + "' among its special_tokens, found it missing");
                }
            }
        }

        private void readModel() throws TokenizerFormatException {
            require(parser.currentToken() == JsonToken.START_OBJECT, "model: expected a JSON object");
            for (String name = parser.nextName(); name != null; name = parser.nextName()) {
                JsonToken value = parser.nextToken();
                if (name.equals("vocab") && value == JsonToken.START_OBJECT) {
                    readTokensById();
                } else if (name.equals("vocab") && value == JsonToken.START_ARRAY) {
                    readTokensInOrder();
                } else {
                    parser.skipChildren();
                }
            }
        }

        /** BPE, WordPiece and WordLevel: {@code {"token": id}}. */
        private void readTokensById() throws TokenizerFormatException {
            vocabularyFound = true;
            for (String token = parser.nextName(); token != null; token = parser.nextName()) {
                require(parser.nextToken() == JsonToken.VALUE_NUMBER_INT, "model.vocab: expected whole numbers as ids");
                add(token, parser.getLongValue(), false);
            }
        }

        /** Unigram: {@code [["token", score]]}. */
        private void readTokensInOrder() throws TokenizerFormatException {
            vocabularyFound = true;
            for (int id = 0; parser.nextToken() != JsonToken.END_ARRAY; id++) {
                boolean isToken =
                        parser.currentToken() == JsonToken.START_ARRAY && parser.nextToken() == JsonToken.VALUE_STRING;
                require(isToken, "model.vocab: expected pairs of token and score");
                add(parser.getString(), id, false);
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    parser.skipChildren();
                }
            }
        }

        private void add(String token, long id, boolean special) throws TokenizerFormatException {
            try {
                vocabulary.add(token, id, special);
            } catch (IllegalArgumentException e) {
                throw new TokenizerFormatException(file, String.valueOf(e.getMessage()), REMEDY, e);
            }
        }

        private void require(boolean condition, String problem) throws TokenizerFormatException {
            if (!condition) {
                throw new TokenizerFormatException(file, problem, REMEDY);
            }
        }
    }
}
