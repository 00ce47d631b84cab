package org.setun.web;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.setun.generation.TokenRules;
import org.setun.sampling.TokenBias;
import tools.jackson.databind.JsonNode;

/**
 * Reads what a request says of single tokens: biases, ends, words. In OpenAI's dialect a bias is an object of numbers by token id; in
 * llama-server's it is an array of pairs, of an id or a text and a number, or {@code false} for never.
 */
final class TokenFields {

    /** More biases than anybody has tokens in mind; each costs time at every token. */
    private static final int MAX_BIASES = 4096;

    private static final int MAX_STOP_TOKENS = 256;
    private static final int MAX_TEXTS = 64;

    /** As in llama-server, which cuts longer ones. */
    private static final int MAX_BREAKER_LENGTH = 40;

    private static final int MAX_WORD_LENGTH = 200;

    /** What DRY takes no repetition across unless a request says otherwise: llama-server's. */
    private static final List<String> SEQUENCE_BREAKERS = List.of("\n", ":", "\"", "*");

    private static final String BIAS = "logit_bias";

    private TokenFields() {}

    /**
     * Reads the fields of one body.
     *
     * @param dry whether it penalises repetitions
     * @throws ApiException if one is not what it should be
     */
    static TokenRules read(JsonFields fields, boolean dry) {
        Map<Integer, Float> byId = new HashMap<>();
        Map<String, Float> byText = new HashMap<>();
        fields.any(BIAS).ifPresent(bias -> readBias(bias, byId, byText));
        return new TokenRules(
                fields.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0),
                fields.flag("ignore_eos", false),
                stopTokens(fields),
                byId,
                byText,
                texts(fields, "bad_words", MAX_WORD_LENGTH, List.of()),
                texts(fields, "dry_sequence_breakers", MAX_BREAKER_LENGTH, dry ? SEQUENCE_BREAKERS : List.of()));
    }

    private static void readBias(JsonNode bias, Map<Integer, Float> byId, Map<String, Float> byText) {
        if (!bias.isObject() && !bias.isArray()) {
            throw JsonFields.wrongType(BIAS, "an object of numbers by token id, or an array of pairs", bias);
        }
        if (bias.size() > MAX_BIASES) {
            throw ApiException.invalidValue(
                    BIAS, BIAS + ": expected at most " + MAX_BIASES + " biases, found " + bias.size());
        }
        if (bias.isObject()) {
            bias.properties()
                    .forEach(entry ->
                            byId.put(id(entry.getKey()), value(BIAS + "." + entry.getKey(), entry.getValue())));
            return;
        }
        for (int i = 0; i < bias.size(); i++) {
            readPair(BIAS + "[" + i + "]", bias.get(i), byId, byText);
        }
    }

    private static int id(String name) {
        try {
            int id = Integer.parseInt(name);
            if (id >= 0) {
                return id;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw ApiException.invalidValue(
                BIAS, BIAS + ": expected token ids as names, which are integers of 0 or more, found '" + name + "'");
    }

    private static void readPair(String param, JsonNode pair, Map<Integer, Float> byId, Map<String, Float> byText) {
        if (!pair.isArray() || pair.size() != 2) {
            throw JsonFields.wrongType(param, "a pair of a token id or a text and a number", pair);
        }
        float value = value(param + "[1]", pair.get(1));
        String key = param + "[0]";
        Float before = pair.get(0).isString()
                ? byText.put(JsonFields.string(key, pair.get(0)), value)
                : byId.put(JsonFields.tokenId(key, pair.get(0)), value);
        if (before != null) {
            throw ApiException.invalidValue(
                    key, key + ": expected each token once, found " + JsonFields.describe(pair.get(0)) + " again");
        }
    }

    private static float value(String param, JsonNode value) {
        String expected = "a number from -100 to 100, or false";
        if (value.isBoolean() && !value.booleanValue()) {
            return Float.NEGATIVE_INFINITY;
        }
        if (!value.isNumber()) {
            throw JsonFields.wrongType(param, expected, value);
        }
        double number = value.asDouble(Double.NaN);
        if (!(Math.abs(number) <= TokenBias.MAX)) {
            throw JsonFields.outOfRange(param, expected, value);
        }
        return (float) number;
    }

    private static Set<Integer> stopTokens(JsonFields fields) {
        List<JsonNode> ids = array(fields, "stop_token_ids", MAX_STOP_TOKENS).orElse(List.of());
        return IntStream.range(0, ids.size())
                .mapToObj(i -> JsonFields.tokenId("stop_token_ids[" + i + "]", ids.get(i)))
                .collect(Collectors.toSet());
    }

    private static List<String> texts(JsonFields fields, String name, int maxLength, List<String> absent) {
        Optional<List<JsonNode>> values = array(fields, name, MAX_TEXTS);
        if (values.isEmpty()) {
            return absent;
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode value : values.get()) {
            String param = name + "[" + texts.size() + "]";
            String text = JsonFields.string(param, value);
            if (text.isEmpty() || text.length() > maxLength) {
                throw ApiException.invalidValue(
                        param,
                        param + ": expected a string of 1 to " + maxLength + " characters, found " + text.length());
            }
            texts.add(text);
        }
        return texts;
    }

    private static Optional<List<JsonNode>> array(JsonFields fields, String name, int maxSize) {
        return fields.any(name).map(value -> {
            if (!value.isArray()) {
                throw JsonFields.wrongType(name, "an array", value);
            }
            if (value.size() > maxSize) {
                throw ApiException.invalidValue(
                        name, name + ": expected at most " + maxSize + " of them, found " + value.size());
            }
            List<JsonNode> elements = new ArrayList<>();
            value.forEach(elements::add);
            return elements;
        });
    }
}
