package org.setun.cli.load;

import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * An event of a stream: more of the answer, its token counts, or both.
 *
 * @param hasText whether the answer goes on with it
 * @param promptTokens the prompt's tokens; here and below, empty where the event does not tell
 * @param cachedTokens those of them which the server had computed before
 * @param outputTokens the answer's tokens
 */
public record Chunk(boolean hasText, OptionalInt promptTokens, OptionalInt cachedTokens, OptionalInt outputTokens) {

    private static final JsonMapper JSON = new JsonMapper();
    private static final int MOST_SHOWN = 200;

    /**
     * Reads an event of {@code /v1/completions} or {@code /v1/chat/completions}.
     *
     * @throws FailedRequestException if it is an error, or no such event
     */
    public static Chunk parse(String data) throws FailedRequestException {
        JsonNode event;
        try {
            event = JSON.readTree(data);
        } catch (JacksonException e) {
            throw FailedRequestException.malformed("expected a JSON object, found " + shortened(data));
        }
        if (event.hasNonNull("error")) {
            throw new FailedRequestException(
                    FailedRequestException.ERROR_EVENT, errorMessage(event).orElse(shortened(data)));
        }
        if (!event.path("choices").isArray()) {
            throw FailedRequestException.malformed("expected an object with choices, found " + shortened(data));
        }
        JsonNode choice = event.path("choices").path(0);
        JsonNode delta = choice.path("delta");
        JsonNode usage = event.path("usage");
        return new Chunk(
                hasText(choice.path("text"))
                        || hasText(delta.path("content"))
                        || hasText(delta.path("reasoning_content"))
                        || hasText(delta.path("reasoning")),
                count(usage.path("prompt_tokens")),
                count(usage.path("prompt_tokens_details").path("cached_tokens")),
                count(usage.path("completion_tokens")));
    }

    private static boolean hasText(JsonNode node) {
        return node.isString() && !node.stringValue().isEmpty();
    }

    private static OptionalInt count(JsonNode node) {
        return node.isInt() && node.intValue() >= 0 ? OptionalInt.of(node.intValue()) : OptionalInt.empty();
    }

    /** Returns what an error's body says: its message where it has OpenAI's shape, else the body's beginning. */
    public static String reason(String body) {
        try {
            return errorMessage(JSON.readTree(body)).orElse(shortened(body));
        } catch (JacksonException e) {
            return shortened(body);
        }
    }

    private static Optional<String> errorMessage(JsonNode body) {
        JsonNode error = body.path("error");
        JsonNode message = error.isString() ? error : error.path("message");
        return message.isString() ? Optional.of(shortened(message.stringValue())) : Optional.empty();
    }

    private static String shortened(String text) {
        String line = text.strip().replaceAll("\\p{Cntrl}+", " ");
        return line.isEmpty() ? "nothing" : line.length() <= MOST_SHOWN ? line : line.substring(0, MOST_SHOWN) + "…";
    }
}
