package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.setun.generation.Prompt;
import tools.jackson.databind.JsonNode;

/** Reads the field {@code prompt}: a text, texts, token ids, or lists of token ids. */
final class PromptField {

    /** How many prompts one request may have; each takes a place in the engine's queue. */
    static final int MAX_PROMPTS = 128;

    private static final String EXPECTED = "a string, an array of strings, an array of token ids or an array of those";

    private PromptField() {}

    /**
     * Returns the prompts, at least one.
     *
     * @throws ApiException if the value has none of the four forms
     */
    static List<Prompt> read(JsonNode prompt) {
        if (prompt.isString()) {
            return List.of(text("prompt", prompt));
        }
        if (!prompt.isArray()) {
            throw JsonFields.wrongType("prompt", EXPECTED, prompt);
        }
        if (prompt.isEmpty()) {
            throw ApiException.invalidValue("prompt", "prompt: expected " + EXPECTED + ", found an empty array");
        }
        JsonNode first = prompt.get(0);
        if (first.isNumber()) {
            return List.of(tokens("prompt", prompt));
        }
        if (!first.isString() && !first.isArray()) {
            throw JsonFields.wrongType("prompt[0]", "a string, a token id or an array of token ids", first);
        }
        if (prompt.size() > MAX_PROMPTS) {
            throw ApiException.invalidValue(
                    "prompt", "prompt: expected at most " + MAX_PROMPTS + " prompts, found " + prompt.size());
        }
        return IntStream.range(0, prompt.size())
                .mapToObj(i -> {
                    String param = "prompt[" + i + "]";
                    return first.isString() ? text(param, prompt.get(i)) : tokens(param, prompt.get(i));
                })
                .toList();
    }

    private static Prompt text(String param, JsonNode value) {
        return new Prompt.Text(JsonFields.string(param, value));
    }

    private static Prompt tokens(String param, JsonNode value) {
        if (!value.isArray()) {
            throw JsonFields.wrongType(param, "an array of token ids", value);
        }
        if (value.isEmpty()) {
            throw ApiException.invalidValue(param, param + ": expected at least one token id, found an empty array");
        }
        List<Integer> ids = new ArrayList<>(value.size());
        for (JsonNode id : value) {
            ids.add(JsonFields.tokenId(param + "[" + ids.size() + "]", id));
        }
        return new Prompt.Tokens(ids);
    }
}
