package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.setun.generation.Prompt;
import tools.jackson.databind.JsonNode;

/** Reads a field such as {@code prompt}: a text, texts, token ids, or lists of token ids. */
final class PromptField {

    /** How many prompts one request may have; each takes a place in the engine's queue. */
    static final int MAX_PROMPTS = 128;

    private static final String EXPECTED = "a string, an array of strings, an array of token ids or an array of those";

    private PromptField() {}

    /**
     * Returns the prompts, at least one.
     *
     * @param param the field's name
     * @throws ApiException if the value has none of the four forms
     */
    static List<Prompt> read(String param, JsonNode prompt) {
        if (prompt.isString()) {
            return List.of(text(param, prompt));
        }
        if (!prompt.isArray()) {
            throw JsonFields.wrongType(param, EXPECTED, prompt);
        }
        if (prompt.isEmpty()) {
            throw ApiException.invalidValue(param, param + ": expected " + EXPECTED + ", found an empty array");
        }
        JsonNode first = prompt.get(0);
        if (first.isNumber()) {
            return List.of(tokens(param, prompt));
        }
        if (!first.isString() && !first.isArray()) {
            throw JsonFields.wrongType(param + "[0]", "a string, a token id or an array of token ids", first);
        }
        if (prompt.size() > MAX_PROMPTS) {
            throw ApiException.invalidValue(
                    param, param + ": expected at most " + MAX_PROMPTS + ", found " + prompt.size());
        }
        return IntStream.range(0, prompt.size())
                .mapToObj(i -> {
                    String element = param + "[" + i + "]";
                    return first.isString() ? text(element, prompt.get(i)) : tokens(element, prompt.get(i));
                })
                .toList();
    }

    private static Prompt text(String param, JsonNode value) {
        return new Prompt.Text(JsonFields.string(param, value));
    }

    private static Prompt tokens(String param, JsonNode value) {
        List<Integer> ids = ids(param, value);
        if (ids.isEmpty()) {
            throw ApiException.invalidValue(param, param + ": expected at least one token id, found an empty array");
        }
        return new Prompt.Tokens(ids);
    }

    /** Returns token ids, of which there may be none. */
    static List<Integer> ids(String param, JsonNode value) {
        if (!value.isArray()) {
            throw JsonFields.wrongType(param, "an array of token ids", value);
        }
        List<Integer> ids = new ArrayList<>(value.size());
        for (JsonNode id : value) {
            ids.add(JsonFields.tokenId(param + "[" + ids.size() + "]", id));
        }
        return ids;
    }
}
