package org.setun.checkpoint;

import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/**
 * Streams through a JSON object from a file that nobody trusts: the text must be UTF-8, nesting and lengths are bounded,
 * keys are unique, and every fault is a {@link CheckpointFormatException} that says where.
 */
final class StrictJson implements AutoCloseable {

    /** What the owner of a damaged file can do. */
    static final String DOWNLOAD_AGAIN = "the file is damaged, download it again";

    private static final int MAX_NESTING = 16;
    private static final int MAX_NUMBER_LENGTH = 32;
    private static final int MAX_NAME_LENGTH = 4096;
    private static final int MAX_STRING_LENGTH = 16 << 20;

    // Names of tensors are seldom repeated, and a table of them would let a hostile file choose colliding ones.
    static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_NESTING)
                    .maxNumberLength(MAX_NUMBER_LENGTH)
                    .maxNameLength(MAX_NAME_LENGTH)
                    .maxStringLength(MAX_STRING_LENGTH)
                    .build())
            .build();

    private final String where;
    private final JsonParser parser;

    /**
     * Starts before the first token of {@code text}.
     *
     * @param where the file and the part of it, for messages
     */
    StrictJson(String where, byte[] text) {
        this.where = where;
        // Bytes given to the parser itself would be sniffed for UTF-16 and UTF-32.
        var decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        this.parser = FACTORY.createParser(
                ObjectReadContext.empty(), new InputStreamReader(new ByteArrayInputStream(text), decoder));
    }

    /** Reads the value of one key; called with the parser on the value's first token. */
    @FunctionalInterface
    interface Property {
        void read(String key) throws CheckpointFormatException;
    }

    /** Reads the whole text as one object and nothing after it. */
    void readDocument(Property property) throws CheckpointFormatException {
        next();
        readObject(where, property);
        if (nextOrEnd() != JsonToken.NOT_AVAILABLE) {
            throw invalid("more text after the JSON object");
        }
    }

    /** Reads the object that begins at the current token, property by property. */
    void readObject(String what, Property property) throws CheckpointFormatException {
        expect(JsonToken.START_OBJECT, what, "a JSON object");
        while (next() == JsonToken.PROPERTY_NAME) {
            String key = parser.currentName();
            next();
            property.read(key);
        }
    }

    /** Reads the object at the current token, which must hold up to {@code atMost} strings and nothing else. */
    Map<String, String> readStrings(String what, int atMost) throws CheckpointFormatException {
        Map<String, String> strings = new LinkedHashMap<>();
        readObject(what, key -> {
            if (strings.put(key, readString(what + ": " + CheckpointFormatException.printable(key))) != null) {
                throw duplicate(what, key);
            }
            requireAtMost(what, atMost, "strings", strings.size());
        });
        return strings;
    }

    /** Returns the string at the current token. */
    String readString(String what) throws CheckpointFormatException {
        expect(JsonToken.VALUE_STRING, what, "a string");
        try {
            return parser.getString();
        } catch (JacksonException e) {
            throw translate(e);
        }
    }

    /** Returns the array at the current token: up to {@code atMost} integers of 0 to 2^63 - 1. */
    long[] readIntegers(String what, int atMost) throws CheckpointFormatException {
        expect(JsonToken.START_ARRAY, what, "an array of integers");
        long[] values = new long[atMost];
        int count = 0;
        while (next() != JsonToken.END_ARRAY) {
            requireAtMost(what, atMost, "integers", count + 1);
            values[count++] = readInteger(what);
        }
        return Arrays.copyOf(values, count);
    }

    private long readInteger(String what) throws CheckpointFormatException {
        String expected = "integers from 0 to " + Long.MAX_VALUE;
        expect(JsonToken.VALUE_NUMBER_INT, what, expected);
        try {
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER || parser.getLongValue() < 0) {
                throw CheckpointFormatException.mismatch(what, expected, parser.getString(), DOWNLOAD_AGAIN);
            }
            return parser.getLongValue();
        } catch (JacksonException e) {
            throw translate(e);
        }
    }

    /** Passes over the value at the current token. */
    void skip() throws CheckpointFormatException {
        try {
            parser.skipChildren();
        } catch (JacksonException e) {
            throw translate(e);
        }
    }

    /** Returns the fault that {@code key} stands twice in an object. */
    static CheckpointFormatException duplicate(String what, String key) {
        return CheckpointFormatException.invalid(
                what, CheckpointFormatException.printable(key) + " stands there twice", DOWNLOAD_AGAIN);
    }

    /** Checks a count, so that no file makes the reader hold many times its size. */
    static void requireAtMost(String what, int atMost, String things, int count) throws CheckpointFormatException {
        if (count > atMost) {
            throw CheckpointFormatException.mismatch(what, "at most " + atMost + " " + things, "more", DOWNLOAD_AGAIN);
        }
    }

    private void expect(JsonToken token, String what, String expected) throws CheckpointFormatException {
        if (parser.currentToken() != token) {
            throw CheckpointFormatException.mismatch(what, expected, describe(parser.currentToken()), DOWNLOAD_AGAIN);
        }
    }

    private static String describe(JsonToken token) {
        return switch (token) {
            case START_OBJECT, END_OBJECT -> "an object";
            case START_ARRAY, END_ARRAY -> "an array";
            case PROPERTY_NAME -> "a key";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT -> "an integer";
            case VALUE_NUMBER_FLOAT -> "a fraction";
            case VALUE_TRUE, VALUE_FALSE -> "a boolean";
            case VALUE_NULL -> "null";
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "nothing";
        };
    }

    private JsonToken next() throws CheckpointFormatException {
        JsonToken token = nextOrEnd();
        if (token == JsonToken.NOT_AVAILABLE) {
            throw invalid("the JSON text ends early");
        }
        return token;
    }

    private JsonToken nextOrEnd() throws CheckpointFormatException {
        try {
            JsonToken token = parser.nextToken();
            return token == null ? JsonToken.NOT_AVAILABLE : token;
        } catch (JacksonException e) {
            throw translate(e);
        }
    }

    private CheckpointFormatException translate(JacksonException e) {
        String problem;
        if (e instanceof JacksonIOException && e.getCause() instanceof CharacterCodingException) {
            problem = "the text is not UTF-8";
        } else if (e instanceof StreamConstraintsException) {
            problem = "nesting or length exceeds what such a file needs near character " + position();
        } else {
            problem = "the text is not JSON near character " + position();
        }
        return new CheckpointFormatException(where + ": " + problem + "; " + DOWNLOAD_AGAIN, e);
    }

    private CheckpointFormatException invalid(String problem) {
        return CheckpointFormatException.invalid(where, problem, DOWNLOAD_AGAIN);
    }

    private long position() {
        return parser.currentLocation().getCharOffset();
    }

    @Override
    public void close() {
        parser.close();
    }
}
