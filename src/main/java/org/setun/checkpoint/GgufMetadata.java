package org.setun.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * The typed key-value pairs of a GGUF file. Keys and extents are checked when the file is opened; values stay in the
 * mapped file and are decoded when asked for, into arrays of primitives where they are numbers. A getter accepts every
 * stored type that holds its values exactly, and names key, expected and found type where there is no such value.
 *
 * <p>Valid while the checkpoint is open; safe for use by several threads.
 */
public final class GgufMetadata {

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final String OTHER_FILE = "the file was written by other rules, convert the model again";

    private final String location;
    private final MemorySegment file;
    private final Map<String, GgufValue> values;

    GgufMetadata(String location, MemorySegment file, Map<String, GgufValue> values) {
        this.location = location;
        this.file = file;
        this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Returns the keys, in the file's order. */
    public Set<String> keys() {
        return values.keySet();
    }

    /** Returns whether there is a value under {@code key}. */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /**
     * Returns the string under {@code key}.
     *
     * @throws CheckpointFormatException if there is none, or another type
     */
    public String string(String key) throws CheckpointFormatException {
        GgufValue value = scalar(key, "a string");
        if (value.type() != GgufValue.Type.STRING) {
            throw mismatch(key, "a string", value.describe());
        }
        return GgufCursor.stringAt(where(key), file, value.start());
    }

    /**
     * Returns the integer under {@code key}.
     *
     * @throws CheckpointFormatException if there is none, another type, or one of 2^63 or more
     */
    public long integer(String key) throws CheckpointFormatException {
        return integerAt(key, scalar(key, "an integer"), 0);
    }

    /**
     * Returns the integer under {@code key}, which counts or numbers something.
     *
     * @throws CheckpointFormatException if there is none, another type, or one that is not between 0 and 2^31 - 1
     */
    public int count(String key) throws CheckpointFormatException {
        long integer = integer(key);
        if (integer < 0 || integer > Integer.MAX_VALUE) {
            throw mismatch(key, "an integer from 0 to " + Integer.MAX_VALUE, Long.toString(integer));
        }
        return (int) integer;
    }

    /**
     * Returns the floating-point number under {@code key}; one stored as F32 is exact as a {@code double}.
     *
     * @throws CheckpointFormatException if there is none, or another type
     */
    public double decimal(String key) throws CheckpointFormatException {
        GgufValue value = scalar(key, "a floating-point number");
        return switch (value.type()) {
            case F32 -> file.get(FLOAT, value.start());
            case F64 -> file.get(DOUBLE, value.start());
            default -> throw mismatch(key, "a floating-point number", value.describe());
        };
    }

    /**
     * Returns the truth value under {@code key}.
     *
     * @throws CheckpointFormatException if there is none, another type, or a byte other than 0 and 1
     */
    public boolean bool(String key) throws CheckpointFormatException {
        GgufValue value = scalar(key, "a boolean");
        if (value.type() != GgufValue.Type.BOOL) {
            throw mismatch(key, "a boolean", value.describe());
        }
        byte stored = file.get(ValueLayout.JAVA_BYTE, value.start());
        if (stored != 0 && stored != 1) {
            throw mismatch(key, "0 or 1", Byte.toString(stored));
        }
        return stored == 1;
    }

    /** Returns the string under {@code key} if there is one, as {@link #string} does. */
    public Optional<String> findString(String key) throws CheckpointFormatException {
        return has(key) ? Optional.of(string(key)) : Optional.empty();
    }

    /** Returns the integer under {@code key} if there is one, as {@link #integer} does. */
    public OptionalLong findInteger(String key) throws CheckpointFormatException {
        return has(key) ? OptionalLong.of(integer(key)) : OptionalLong.empty();
    }

    /** Returns the count under {@code key} if there is one, as {@link #count} does. */
    public OptionalInt findCount(String key) throws CheckpointFormatException {
        return has(key) ? OptionalInt.of(count(key)) : OptionalInt.empty();
    }

    /** Returns the number under {@code key} if there is one, as {@link #decimal} does. */
    public OptionalDouble findDecimal(String key) throws CheckpointFormatException {
        return has(key) ? OptionalDouble.of(decimal(key)) : OptionalDouble.empty();
    }

    /** Returns the truth value under {@code key} if there is one, as {@link #bool} does. */
    public Optional<Boolean> findBool(String key) throws CheckpointFormatException {
        return has(key) ? Optional.of(bool(key)) : Optional.empty();
    }

    /**
     * Returns the array of strings under {@code key}.
     *
     * @throws CheckpointFormatException if there is none, or another type
     */
    public List<String> strings(String key) throws CheckpointFormatException {
        GgufValue value = array(key, "an array of strings");
        if (value.type() != GgufValue.Type.STRING) {
            throw mismatch(key, "an array of strings", value.describe());
        }
        String where = where(key);
        List<String> strings = new ArrayList<>(value.length());
        long at = value.start();
        for (int i = 0; i < value.length(); i++) {
            strings.add(GgufCursor.stringAt(where, file, at));
            at = GgufCursor.endOfString(file, at);
        }
        return Collections.unmodifiableList(strings);
    }

    /**
     * Returns the array of integers under {@code key}.
     *
     * @throws CheckpointFormatException if there is none, another type, or an integer that an {@code int} cannot hold
     */
    public int[] integers(String key) throws CheckpointFormatException {
        GgufValue value = array(key, "an array of integers");
        if (!value.type().isInteger()) {
            throw mismatch(key, "an array of integers", value.describe());
        }
        int[] integers = new int[value.length()];
        for (int i = 0; i < value.length(); i++) {
            long integer = integerAt(key, value, i);
            if (integer != (int) integer) {
                throw mismatch(key, "integers of 32 bits", integer + " as element " + i);
            }
            integers[i] = (int) integer;
        }
        return integers;
    }

    /**
     * Returns the array of float32 under {@code key}.
     *
     * @throws CheckpointFormatException if there is none, or another type
     */
    public float[] floats(String key) throws CheckpointFormatException {
        GgufValue value = array(key, "an array of F32");
        if (value.type() != GgufValue.Type.F32) {
            throw mismatch(key, "an array of F32", value.describe());
        }
        float[] floats = new float[value.length()];
        MemorySegment.copy(file, FLOAT, value.start(), floats, 0, floats.length);
        return floats;
    }

    /** Returns every value as a person would read it, arrays by type and length, sorted by key. */
    Map<String, String> describe() throws CheckpointFormatException {
        Map<String, String> described = new TreeMap<>();
        for (Map.Entry<String, GgufValue> entry : values.entrySet()) {
            String key = entry.getKey();
            GgufValue value = entry.getValue();
            described.put(key, value.isArray() ? value.describe() : describe(key, value));
        }
        return described;
    }

    private String describe(String key, GgufValue value) throws CheckpointFormatException {
        return switch (value.type()) {
            case STRING -> string(key);
            case BOOL -> Boolean.toString(bool(key));
            case F32 -> Float.toString(file.get(FLOAT, value.start()));
            case F64 -> Double.toString(decimal(key));
            case U64 -> Long.toUnsignedString(file.get(LONG, value.start()));
            case U8, I8, U16, I16, U32, I32, I64, ARRAY -> Long.toString(integerAt(key, value, 0));
        };
    }

    private long integerAt(String key, GgufValue value, int index) throws CheckpointFormatException {
        long at = value.start() + (long) index * value.type().bytes();
        return switch (value.type()) {
            case U8 -> Byte.toUnsignedLong(file.get(ValueLayout.JAVA_BYTE, at));
            case I8 -> file.get(ValueLayout.JAVA_BYTE, at);
            case U16 -> Short.toUnsignedLong(file.get(SHORT, at));
            case I16 -> file.get(SHORT, at);
            case U32 -> Integer.toUnsignedLong(file.get(INT, at));
            case I32 -> file.get(INT, at);
            case I64 -> file.get(LONG, at);
            case U64 -> {
                long integer = file.get(LONG, at);
                if (integer < 0) {
                    throw mismatch(key, "an integer below 2^63", Long.toUnsignedString(integer));
                }
                yield integer;
            }
            case F32, F64, BOOL, STRING, ARRAY -> throw mismatch(key, "an integer", value.describe());
        };
    }

    private GgufValue scalar(String key, String expected) throws CheckpointFormatException {
        GgufValue value = require(key, expected);
        if (value.isArray()) {
            throw mismatch(key, expected, value.describe());
        }
        return value;
    }

    private GgufValue array(String key, String expected) throws CheckpointFormatException {
        GgufValue value = require(key, expected);
        if (!value.isArray()) {
            throw mismatch(key, expected, value.describe());
        }
        return value;
    }

    private GgufValue require(String key, String expected) throws CheckpointFormatException {
        GgufValue value = values.get(key);
        if (value == null) {
            throw mismatch(key, expected, "no such key");
        }
        return value;
    }

    /** Returns file and key as messages begin. */
    public String where(String key) {
        return location + ": metadata " + CheckpointFormatException.printable(key);
    }

    /** Returns the fault that the value under {@code key} is not what it has to be. */
    public CheckpointFormatException mismatch(String key, String expected, String found) {
        return CheckpointFormatException.mismatch(
                where(key), expected, CheckpointFormatException.printable(found), OTHER_FILE);
    }
}
