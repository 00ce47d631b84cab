package org.setun.web;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.setun.generation.AnswerDetails;
import org.setun.generation.Prompt;
import org.setun.sampling.SamplingParameters;
import tools.jackson.databind.JsonNode;

/** Reads and checks the bodies of the endpoints that generate text. Thread-safe. */
final class CallReader {

    private static final int MAX_STOPS = 4;
    private static final String ACTIVATION_SPARSITY = "activation_sparsity";

    private final ServedModel model;

    CallReader(ServedModel model) {
        this.model = model;
    }

    /**
     * Reads the fields of {@code POST /v1/completions}.
     *
     * @throws ApiException if it cannot be answered
     */
    GenerationCall readCompletion(JsonFields fields) {
        model.check(fields);
        List<Prompt> prompts = PromptField.read("prompt", fields.required("prompt"));
        UnsupportedFields.COMPLETIONS.check(fields);
        boolean stream = fields.flag("stream", false);
        AnswerDetails details = LogprobsFields.readCompletion(fields, stream);
        // 0 only reads the prompt, to score it.
        return read(fields, prompts, fields.integer("max_tokens", 0, Integer.MAX_VALUE), details);
    }

    /**
     * Reads the fields of {@code POST /v1/chat/completions}.
     *
     * @throws ApiException if it cannot be answered
     */
    GenerationCall readChat(JsonFields fields) {
        model.check(fields);
        Prompt prompt = MessagesField.read(fields.required("messages"));
        UnsupportedFields.CHAT.check(fields);
        OptionalInt legacy = maxTokens(fields, "max_tokens");
        OptionalInt current = maxTokens(fields, "max_completion_tokens");
        AnswerDetails details = LogprobsFields.readChat(fields);
        return read(fields, List.of(prompt), current.isPresent() ? current : legacy, details);
    }

    private GenerationCall read(JsonFields fields, List<Prompt> prompts, OptionalInt maxTokens, AnswerDetails details) {
        boolean stream = fields.flag("stream", false);
        SamplingParameters sampling = SamplingFields.read(fields, model.sampling());
        return new GenerationCall(
                prompts,
                Choices.read(fields, prompts.size(), stream),
                maxTokens,
                sampling,
                TokenFields.read(fields, sampling.dry().isOn()),
                stop(fields),
                activationSparsity(fields),
                details.withActivity(fields.flag("include_sparsity", false))
                        .withTimings(fields.flag("include_timings", false)),
                UrgencyFields.read(fields),
                stream,
                includeUsage(fields, stream),
                fields.unread());
    }

    private static OptionalInt maxTokens(JsonFields fields, String name) {
        return fields.integer(name, 1, Integer.MAX_VALUE);
    }

    /** Returns the fraction of activations to drop; how large it may be is the operator's to say. */
    private double activationSparsity(JsonFields fields) {
        Optional<JsonNode> field = fields.any(ACTIVATION_SPARSITY);
        if (field.isEmpty()) {
            return 0;
        }
        double limit = model.maxActivationSparsity();
        String expected = limit > 0
                ? "a number from 0 to " + limit + ", the server's setun.engine.max-activation-sparsity"
                : "0, as the server's setun.engine.max-activation-sparsity allows no more";
        if (!field.get().isNumber()) {
            throw JsonFields.wrongType(ACTIVATION_SPARSITY, expected, field.get());
        }
        double sparsity = field.get().asDouble(Double.NaN);
        if (!(sparsity >= 0 && sparsity <= limit)) {
            throw JsonFields.outOfRange(ACTIVATION_SPARSITY, expected, field.get());
        }
        return sparsity;
    }

    private static List<String> stop(JsonFields fields) {
        Optional<JsonNode> field = fields.any("stop");
        if (field.isEmpty()) {
            return List.of();
        }
        JsonNode stop = field.get();
        if (stop.isString()) {
            return List.of(stopText("stop", stop));
        }
        if (!stop.isArray()) {
            throw JsonFields.wrongType("stop", "a string or an array of strings", stop);
        }
        if (stop.size() > MAX_STOPS) {
            throw ApiException.invalidValue(
                    "stop", "stop: expected at most " + MAX_STOPS + " strings, found " + stop.size());
        }
        return IntStream.range(0, stop.size())
                .mapToObj(i -> stopText("stop[" + i + "]", stop.get(i)))
                .toList();
    }

    private static String stopText(String param, JsonNode value) {
        String text = JsonFields.string(param, value);
        if (text.isEmpty()) {
            throw ApiException.invalidValue(param, param + ": expected a string with text, found \"\"");
        }
        return text;
    }

    private static boolean includeUsage(JsonFields fields, boolean stream) {
        Optional<JsonFields> options = fields.object("stream_options");
        if (options.isPresent() && !stream) {
            throw ApiException.invalidValue(
                    "stream_options", "stream_options: expected only together with \"stream\": true");
        }
        return options.isPresent() && options.get().flag("include_usage", false);
    }
}
