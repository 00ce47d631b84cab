package org.setun.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.setun.checkpoint.CheckpointFormatException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A JSON object of a configuration file, read key by key. Every error names the file, the key, what was expected and what
 * was found. A key whose value is null counts as absent, as upstream writes its configurations.
 */
final class ConfigObject {

    /** The largest file that is read; real ones have a few kilobytes. */
    private static final long MAX_BYTES = 16L << 20;

    /** Longest excerpt of a value in an error message. */
    private static final int MAX_EXCERPT = 60;

    private static final String REMEDY = "correct the file or download it again";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path file;
    private final String prefix;
    private final ObjectNode node;

    private ConfigObject(Path file, String prefix, ObjectNode node) {
        this.file = file;
        this.prefix = prefix;
        this.node = node;
    }

    /**
     * Reads a file.
     *
     * @throws CheckpointFormatException if it is no JSON object
     * @throws IOException if it cannot be read
     */
    static ConfigObject read(Path file) throws CheckpointFormatException, IOException {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw CheckpointFormatException.mismatch(file.toString(), "at most " + MAX_BYTES + " bytes", size, REMEDY);
        }
        JsonNode root;
        try {
            root = JSON.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new CheckpointFormatException(
                    file + ": expected a JSON object, found invalid JSON at line "
                            + e.getLocation().getLineNr() + "; " + REMEDY,
                    e);
        }
        if (root instanceof ObjectNode object) {
            return new ConfigObject(file, "", object);
        }
        throw CheckpointFormatException.mismatch(file.toString(), "a JSON object", excerpt(root), REMEDY);
    }

    /** Returns whether {@code key} has a value other than null. */
    boolean has(String key) {
        return node.hasNonNull(key);
    }

    /** Returns whether {@code key} stands in the file, be its value null. */
    boolean mentions(String key) {
        return node.has(key);
    }

    /** Returns the integer at {@code key}, within {@code [min, max]}. */
    int integer(String key, int min, int max) throws CheckpointFormatException {
        String expected = "an integer from " + min + " to " + max;
        return integer(required(key, expected), key, min, max);
    }

    /** Returns the integer at {@code key}, within {@code [min, max]}, or empty where it is absent. */
    OptionalInt optionalInteger(String key, int min, int max) throws CheckpointFormatException {
        return has(key) ? OptionalInt.of(integer(key, min, max)) : OptionalInt.empty();
    }

    /** Returns the integers at {@code key}, a single one or a list, each within {@code [min, max]}; none where absent. */
    List<Integer> integers(String key, int min, int max) throws CheckpointFormatException {
        if (!has(key)) {
            return List.of();
        }
        JsonNode value = node.get(key);
        if (!value.isArray()) {
            return List.of(integer(key, min, max));
        }
        List<Integer> integers = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            integers.add(integer(value.get(i), key + "[" + i + "]", min, max));
        }
        return integers;
    }

    private int integer(JsonNode value, String key, int min, int max) throws CheckpointFormatException {
        if (value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= min && value.intValue() <= max) {
            return value.intValue();
        }
        throw invalid(key, "an integer from " + min + " to " + max, value);
    }

    /** Returns the number at {@code key}, within {@code [min, max]}. */
    double number(String key, double min, double max) throws CheckpointFormatException {
        return number(required(key, "a number from " + min + " to " + max), key, min, max);
    }

    /** Returns the numbers of the list at {@code key}, each within {@code [min, max]}; none where it is absent. */
    List<Double> numbers(String key, double min, double max) throws CheckpointFormatException {
        if (!has(key)) {
            return List.of();
        }
        JsonNode value = node.get(key);
        if (!value.isArray()) {
            throw invalid(key, "a list of numbers", value);
        }
        List<Double> numbers = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            numbers.add(number(value.get(i), key + "[" + i + "]", min, max));
        }
        return numbers;
    }

    private double number(JsonNode value, String key, double min, double max) throws CheckpointFormatException {
        if (value.isNumber() && value.doubleValue() >= min && value.doubleValue() <= max) {
            return value.doubleValue();
        }
        throw invalid(key, "a number from " + min + " to " + max, value);
    }

    /** Returns the number at {@code key}, within {@code [min, max]}, or empty where it is absent. */
    OptionalDouble optionalNumber(String key, double min, double max) throws CheckpointFormatException {
        return has(key) ? OptionalDouble.of(number(key, min, max)) : OptionalDouble.empty();
    }

    /** Returns the number at {@code key}, more than 0 and at most 1, or empty where it is absent. */
    OptionalDouble optionalShare(String key) throws CheckpointFormatException {
        OptionalDouble share = optionalNumber(key, 0, 1);
        if (share.isPresent() && share.getAsDouble() == 0) {
            throw invalid(key, "a number more than 0 and at most 1");
        }
        return share;
    }

    /** Returns the truth value at {@code key}. */
    boolean bool(String key) throws CheckpointFormatException {
        JsonNode value = required(key, "true or false");
        if (value.isBoolean()) {
            return value.booleanValue();
        }
        throw invalid(key, "true or false", value);
    }

    /** Returns the truth value at {@code key}, or {@code fallback} where it is absent. */
    boolean bool(String key, boolean fallback) throws CheckpointFormatException {
        return has(key) ? bool(key) : fallback;
    }

    /** Returns the string at {@code key}. */
    String text(String key) throws CheckpointFormatException {
        JsonNode value = required(key, "a string");
        if (value.isString()) {
            return value.stringValue();
        }
        throw invalid(key, "a string", value);
    }

    /** Returns the strings of the list at {@code key}; none where it is absent. */
    List<String> texts(String key) throws CheckpointFormatException {
        if (!has(key)) {
            return List.of();
        }
        JsonNode value = node.get(key);
        List<String> texts = new ArrayList<>();
        for (JsonNode element : value) {
            if (element.isString()) {
                texts.add(element.stringValue());
            }
        }
        if (!value.isArray() || texts.size() != value.size()) {
            throw invalid(key, "a list of strings", value);
        }
        return texts;
    }

    /** Returns the constant whose lower-case name stands at {@code key}. */
    <E extends Enum<E>> E choice(String key, Class<E> type) throws CheckpointFormatException {
        E[] constants = type.getEnumConstants();
        List<String> names = Arrays.stream(constants).map(ConfigObject::nameOf).toList();
        return constants[names.indexOf(choice(key, names))];
    }

    /** Returns the constant whose lower-case name stands at {@code key}, or {@code fallback} where it is absent. */
    <E extends Enum<E>> E choice(String key, E fallback) throws CheckpointFormatException {
        return has(key) ? choice(key, fallback.getDeclaringClass()) : fallback;
    }

    /** Returns the string at {@code key}, one of {@code accepted}. */
    String choice(String key, List<String> accepted) throws CheckpointFormatException {
        String expected = accepted.stream().map(name -> '"' + name + '"').collect(Collectors.joining(" or "));
        JsonNode value = required(key, expected);
        if (value.isString() && accepted.contains(value.stringValue())) {
            return value.stringValue();
        }
        throw invalid(key, expected, value);
    }

    /** Returns the name that configurations give to {@code constant}. */
    static String nameOf(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Returns the object at {@code key}. */
    ConfigObject object(String key) throws CheckpointFormatException {
        return object(required(key, "an object"), key);
    }

    /** Returns the object at {@code key}, or empty where it is absent. */
    Optional<ConfigObject> optionalObject(String key) throws CheckpointFormatException {
        return has(key) ? Optional.of(object(key)) : Optional.empty();
    }

    /** Returns the objects of the list at {@code key}. */
    List<ConfigObject> objects(String key) throws CheckpointFormatException {
        JsonNode value = required(key, "a list of objects");
        if (!value.isArray()) {
            throw invalid(key, "a list of objects", value);
        }
        List<ConfigObject> objects = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            objects.add(object(value.get(i), key + "[" + i + "]"));
        }
        return objects;
    }

    private ConfigObject object(JsonNode value, String key) throws CheckpointFormatException {
        if (value instanceof ObjectNode object) {
            return new ConfigObject(file, prefix + key + ".", object);
        }
        throw invalid(key, "an object", value);
    }

    private JsonNode required(String key, String expected) throws CheckpointFormatException {
        JsonNode value = node.get(key);
        if (value == null) {
            throw CheckpointFormatException.mismatch(where(key), expected, "nothing", REMEDY);
        }
        return value;
    }

    /** Returns file and key as messages begin. */
    String where(String key) {
        return file + ": " + prefix + key;
    }

    /** Returns the error that what is at {@code key} is not what was expected. */
    CheckpointFormatException invalid(String key, String expected) {
        return invalid(key, expected, node.get(key));
    }

    private CheckpointFormatException invalid(String key, String expected, JsonNode found) {
        return CheckpointFormatException.mismatch(where(key), expected, excerpt(found), REMEDY);
    }

    private static String excerpt(JsonNode value) {
        String text = value.toString();
        return text.length() <= MAX_EXCERPT ? text : text.substring(0, MAX_EXCERPT) + "...";
    }
}
