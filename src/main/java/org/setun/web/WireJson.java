package org.setun.web;

import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** JSON as it goes over the wire: strict when read, with the records' components in their order and snake case when
 * written. */
final class WireJson {

    /** No request of the OpenAI API nests deeper, JSON schemas included; a stack overflow is far away. */
    static final int MAX_DEPTH = 100;

    // Jackson's messages name its own settings in backquotes, and where a bracket was opened with one of its classes.
    private static final Pattern OWN_LIMIT = Pattern.compile(", from `[^`]*`");
    private static final Pattern OWN_NOTE =
            Pattern.compile("( ?\\([^()]*\\[Source:| \\(`|: enable `| for `).*", Pattern.DOTALL);

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .build();

    private WireJson() {}

    /**
     * Reads a request's body.
     *
     * @throws ApiException if the bytes are not one JSON object in UTF-8
     */
    static JsonFields readObject(byte[] body) {
        JsonNode node;
        try {
            node = MAPPER.readTree(body);
        } catch (StreamConstraintsException e) {
            throw ApiException.badRequest(null, "invalid_json", "the body's JSON exceeds a limit: " + reason(e));
        } catch (JacksonException e) {
            throw ApiException.badRequest(
                    null, "invalid_json", "the body is not valid JSON" + place(e) + ": " + reason(e));
        }
        if (!node.isObject()) {
            throw ApiException.badRequest(
                    null, "invalid_json", "the body: expected a JSON object, found " + JsonFields.describe(node));
        }
        return new JsonFields("", node.asObject());
    }

    /** Returns {@code value} as JSON in UTF-8. */
    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    private static String place(JacksonException e) {
        return e.getLocation() == null || e.getLocation().getLineNr() < 1
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
    }

    private static String reason(JacksonException e) {
        String message = OWN_LIMIT.matcher(e.getOriginalMessage()).replaceAll("");
        return OWN_NOTE.matcher(message).replaceAll("");
    }
}
