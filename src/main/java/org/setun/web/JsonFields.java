package org.setun.web;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The fields of a JSON object from a client, read one by one with their type and range. A field that is null counts as
 * absent, as in OpenAI's API. What nobody asked for is known at the end. For one thread.
 */
final class JsonFields {

    private static final int DESCRIPTION_LENGTH = 60;

    private final String path;
    private final ObjectNode object;
    private final Set<String> read = new HashSet<>();

    /**
     * Creates the reader of {@code object}.
     *
     * @param path where the object stands in the body, such as {@code messages[0].}, or nothing for the body itself
     */
    JsonFields(String path, ObjectNode object) {
        this.path = path;
        this.object = object;
    }

    /** Returns the name of a field as the error's {@code param}: its path from the body. */
    String param(String name) {
        return path + name;
    }

    /** Returns a field of any type. */
    Optional<JsonNode> any(String name) {
        read.add(name);
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
    }

    /** Returns a field of any type that must be there. */
    JsonNode required(String name) {
        return any(name).orElseThrow(() -> ApiException.missing(param(name)));
    }

    Optional<String> string(String name) {
        return any(name).map(value -> string(param(name), value));
    }

    boolean flag(String name, boolean absent) {
        return any(name)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw wrongType(param(name), "true or false", value);
                    }
                    return value.booleanValue();
                })
                .orElse(absent);
    }

    OptionalInt integer(String name, int min, int max) {
        OptionalLong value = integer(name, (long) min, max);
        return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
    }

    OptionalLong integer(String name, long min, long max) {
        Optional<JsonNode> value = any(name);
        if (value.isEmpty()) {
            return OptionalLong.empty();
        }
        String expected = "an integer" + range(min, max);
        if (!value.get().isIntegralNumber()) {
            throw wrongType(param(name), expected, value.get());
        }
        if (!value.get().canConvertToLong()
                || value.get().longValue() < min
                || value.get().longValue() > max) {
            throw outOfRange(param(name), expected, value.get());
        }
        return OptionalLong.of(value.get().longValue());
    }

    /** Returns a number within closed bounds, unless {@code aboveMin}: then the lower bound itself is not allowed. */
    OptionalDouble number(String name, double min, boolean aboveMin, double max) {
        Optional<JsonNode> value = any(name);
        if (value.isEmpty()) {
            return OptionalDouble.empty();
        }
        String expected = aboveMin
                ? "a number above " + plain(min) + " and at most " + plain(max)
                : "a number from " + plain(min) + " to " + plain(max);
        if (!value.get().isNumber()) {
            throw wrongType(param(name), expected, value.get());
        }
        double number = value.get().asDouble(Double.NaN);
        if (!(number >= min && number <= max) || (aboveMin && number == min)) {
            throw outOfRange(param(name), expected, value.get());
        }
        return OptionalDouble.of(number);
    }

    /** Returns a field that is an object itself. */
    Optional<JsonFields> object(String name) {
        return any(name).map(value -> object(param(name), value));
    }

    /** Returns the names of the fields that were asked for, whether they are there or not. */
    Set<String> names() {
        return Set.copyOf(read);
    }

    /** Returns the names of the fields that nobody has read, in the body's order. */
    List<String> unread() {
        List<String> names = new ArrayList<>();
        for (String name : object.propertyNames()) {
            if (!read.contains(name)) {
                names.add(param(name));
            }
        }
        return names;
    }

    /** Returns {@code value} as a reader of its fields. */
    static JsonFields object(String param, JsonNode value) {
        if (!value.isObject()) {
            throw wrongType(param, "an object", value);
        }
        return new JsonFields(param + ".", value.asObject());
    }

    /** Returns {@code value} as text that has a meaning: JSON can escape half a character, UTF-8 cannot hold it. */
    static String string(String param, JsonNode value) {
        if (!value.isString()) {
            throw wrongType(param, "a string", value);
        }
        String text = value.stringValue();
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                    throw ApiException.invalidValue(
                            param, param + ": expected Unicode text, found half of a surrogate pair at index " + i);
                }
                i++;
            }
        }
        return text;
    }

    /** Returns {@code value} as a token id, of whatever model. */
    static int tokenId(String param, JsonNode value) {
        String expected = "a token id, which is an integer of 0 or more";
        if (!value.isIntegralNumber()) {
            throw wrongType(param, expected, value);
        }
        if (!value.canConvertToInt() || value.intValue() < 0) {
            throw outOfRange(param, expected, value);
        }
        return value.intValue();
    }

    static ApiException wrongType(String param, String expected, JsonNode found) {
        return ApiException.invalidType(param, param + ": expected " + expected + ", found " + describe(found));
    }

    static ApiException outOfRange(String param, String expected, JsonNode found) {
        return ApiException.invalidValue(param, param + ": expected " + expected + ", found " + describe(found));
    }

    /** Returns what a client would recognise {@code value} by: itself if it is short, else its kind and beginning. */
    static String describe(JsonNode value) {
        if (value.isMissingNode()) {
            return "nothing";
        }
        if (value.isObject()) {
            return "an object";
        }
        if (value.isArray()) {
            return value.isEmpty() ? "an empty array" : "an array";
        }
        String text = value.toString();
        return text.length() <= DESCRIPTION_LENGTH ? text : text.substring(0, DESCRIPTION_LENGTH) + "…";
    }

    private static String range(long min, long max) {
        if (min == Long.MIN_VALUE && max == Long.MAX_VALUE) {
            return " of 64 bits";
        }
        return max >= Integer.MAX_VALUE ? " of " + min + " or more" : " from " + min + " to " + max;
    }

    private static String plain(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
}
