package org.setun.web;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/**
 * The fields of OpenAI's API and of its dialects which this server knows and does not act on. A value that changes
 * nothing is taken, so that clients which always send one work; any other is an error, since ignoring it would give an
 * answer that the client did not ask for.
 */
final class UnsupportedFields {

    // In both endpoints that generate text. Fields that only inform or bill, and so cannot change the answer, take any
    // value.
    private static final Map<String, Predicate<JsonNode>> COMMON = Map.ofEntries(
            Map.entry("user", UnsupportedFields::any),
            Map.entry("metadata", UnsupportedFields::any),
            Map.entry("service_tier", UnsupportedFields::any),
            Map.entry("safety_identifier", UnsupportedFields::any),
            Map.entry("prompt_cache_key", UnsupportedFields::any),
            Map.entry("prompt_cache_retention", UnsupportedFields::any),
            Map.entry("allowed_token_ids", UnsupportedFields::isEmpty),
            Map.entry("use_beam_search", UnsupportedFields::isFalse),
            Map.entry("include_stop_str_in_output", UnsupportedFields::isFalse),
            Map.entry("skip_special_tokens", UnsupportedFields::isTrue),
            Map.entry("truncate_prompt_tokens", UnsupportedFields::none),
            Map.entry("return_token_ids", UnsupportedFields::isFalse),
            Map.entry("return_tokens_as_token_ids", UnsupportedFields::isFalse),
            // What an answer must look like: whoever asks for it would take any answer for one of that form.
            Map.entry("response_format", UnsupportedFields::isTextFormat),
            Map.entry("structured_outputs", UnsupportedFields::none),
            Map.entry("guided_json", UnsupportedFields::none),
            Map.entry("guided_regex", UnsupportedFields::none),
            Map.entry("guided_choice", UnsupportedFields::none),
            Map.entry("guided_grammar", UnsupportedFields::none),
            Map.entry("json_schema", UnsupportedFields::none),
            Map.entry("grammar", text("")));

    /** The fields of {@code POST /v1/completions}. */
    static final UnsupportedFields COMPLETIONS = new UnsupportedFields(
            COMMON,
            Map.of(
                    "add_special_tokens", UnsupportedFields::isTrue,
                    "prompt_embeds", UnsupportedFields::none,
                    "suffix", text("")));

    /** The fields of {@code POST /v1/chat/completions}. */
    static final UnsupportedFields CHAT = new UnsupportedFields(
            COMMON,
            Map.ofEntries(
                    Map.entry("add_generation_prompt", UnsupportedFields::isTrue),
                    Map.entry("add_special_tokens", UnsupportedFields::isFalse),
                    Map.entry("chat_template", UnsupportedFields::none),
                    Map.entry("continue_final_message", UnsupportedFields::isFalse),
                    Map.entry("echo", UnsupportedFields::isFalse),
                    Map.entry("prompt_logprobs", UnsupportedFields::none),
                    Map.entry("tools", UnsupportedFields::isEmpty),
                    Map.entry("tool_choice", text("none").or(text("auto"))),
                    Map.entry("parallel_tool_calls", UnsupportedFields::any),
                    Map.entry("functions", UnsupportedFields::isEmpty),
                    Map.entry("function_call", text("none").or(text("auto"))),
                    Map.entry("modalities", UnsupportedFields::isTextOnly),
                    Map.entry("audio", UnsupportedFields::none),
                    Map.entry("prediction", UnsupportedFields::none),
                    Map.entry("store", UnsupportedFields::isFalse),
                    Map.entry("reasoning_effort", text("none")),
                    Map.entry("verbosity", text("medium")),
                    Map.entry("web_search_options", UnsupportedFields::none)));

    /** The fields of {@code POST /v1/embeddings}. */
    static final UnsupportedFields EMBEDDINGS = new UnsupportedFields(
            Map.of(), Map.of("dimensions", UnsupportedFields::none, "user", UnsupportedFields::any));

    /** The fields of {@code POST /tokenize} in llama-server's form. */
    static final UnsupportedFields TOKENIZE =
            new UnsupportedFields(Map.of(), Map.of("parse_special", UnsupportedFields::isTrue));

    /** The fields of {@code POST /apply-template}, and of {@code POST /tokenize} with messages. */
    static final UnsupportedFields TEMPLATE = new UnsupportedFields(
            Map.of(),
            Map.of(
                    "chat_template", UnsupportedFields::none,
                    "continue_final_message", UnsupportedFields::isFalse,
                    "tools", UnsupportedFields::isEmpty));

    // Sorted, so that of several fields at fault the same one is always named.
    private final TreeMap<String, Predicate<JsonNode>> neutral;

    private UnsupportedFields(Map<String, Predicate<JsonNode>> common, Map<String, Predicate<JsonNode>> own) {
        neutral = new TreeMap<>(common);
        neutral.putAll(own);
    }

    /** Returns the fields' names. */
    Set<String> names() {
        return Set.copyOf(neutral.keySet());
    }

    /**
     * Checks that no field asks for more than this server does.
     *
     * @throws ApiException if one does
     */
    void check(JsonFields fields) {
        neutral.forEach((name, isNeutral) -> fields.any(name).ifPresent(value -> {
            if (!isNeutral.test(value)) {
                throw ApiException.unsupported(
                        name,
                        name + ": not supported by this server, found " + JsonFields.describe(value)
                                + "; leave the field out");
            }
        }));
    }

    private static boolean any(JsonNode value) {
        return true;
    }

    private static boolean none(JsonNode value) {
        return false;
    }

    private static boolean isFalse(JsonNode value) {
        return value.isBoolean() && !value.booleanValue();
    }

    private static boolean isTrue(JsonNode value) {
        return value.isBoolean() && value.booleanValue();
    }

    private static boolean isEmpty(JsonNode value) {
        return value.isContainer() && value.isEmpty();
    }

    private static boolean isTextOnly(JsonNode value) {
        return value.isArray() && value.size() == 1 && text("text").test(value.get(0));
    }

    private static boolean isTextFormat(JsonNode value) {
        return value.isObject() && value.has("type") && text("text").test(value.get("type"));
    }

    private static Predicate<JsonNode> text(String neutral) {
        return value -> value.isString() && value.stringValue().equals(neutral);
    }
}
