package org.setun.checkpoint;

import java.util.List;
import java.util.Optional;

/**
 * Where a value of a GGUF file's metadata lies.
 *
 * @param isArray whether it is an array
 * @param type its type; of an array that of the elements
 * @param length how many elements it has; 1 if it is no array
 * @param start the byte of the file where it, or its first element, begins
 */
record GgufValue(boolean isArray, Type type, int length, long start) {

    private static final int LONGEST_STRING = 16 << 20;
    private static final int LONGEST_ARRAY = 1 << 26;
    private static final int MAX_NESTING = 4;

    /** The value types, in the order of their numbers in the file. */
    enum Type {
        U8(1),
        I8(1),
        U16(2),
        I16(2),
        U32(4),
        I32(4),
        F32(4),
        BOOL(1),
        // A string and an array begin with their length, so these are the bytes that one takes at least.
        STRING(8),
        ARRAY(12),
        U64(8),
        I64(8),
        F64(8);

        private static final List<Type> BY_NUMBER = List.of(values());

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        int bytes() {
            return bytes;
        }

        boolean isInteger() {
            return switch (this) {
                case U8, I8, U16, I16, U32, I32, U64, I64 -> true;
                case F32, F64, BOOL, STRING, ARRAY -> false;
            };
        }

        static Optional<Type> of(int number) {
            return number >= 0 && number < BY_NUMBER.size() ? Optional.of(BY_NUMBER.get(number)) : Optional.empty();
        }
    }

    /** Returns the type of the value as messages name it. */
    String describe() {
        return isArray ? "an array of " + length + " " + type : type.toString();
    }

    /** Reads the type of a value and passes over the value. */
    static GgufValue read(GgufCursor cursor) throws CheckpointFormatException {
        Type type = readType(cursor);
        if (type != Type.ARRAY) {
            long start = cursor.position();
            skip(cursor, type);
            return new GgufValue(false, type, 1, start);
        }
        return readArray(cursor, 1);
    }

    private static GgufValue readArray(GgufCursor cursor, int depth) throws CheckpointFormatException {
        Type type = readType(cursor);
        int length = (int) cursor.count(type + " elements", LONGEST_ARRAY, type.bytes());
        long start = cursor.position();
        if (type == Type.ARRAY && depth == MAX_NESTING) {
            throw CheckpointFormatException.invalid(
                    cursor.where(), "arrays nest deeper than " + MAX_NESTING, StrictJson.DOWNLOAD_AGAIN);
        }
        if (type == Type.ARRAY) {
            for (int i = 0; i < length; i++) {
                readArray(cursor, depth + 1);
            }
        } else if (type == Type.STRING) {
            for (int i = 0; i < length; i++) {
                cursor.skipString(LONGEST_STRING);
            }
        } else {
            cursor.skip((long) length * type.bytes());
        }
        return new GgufValue(true, type, length, start);
    }

    private static void skip(GgufCursor cursor, Type scalar) throws CheckpointFormatException {
        if (scalar == Type.STRING) {
            cursor.skipString(LONGEST_STRING);
        } else {
            cursor.skip(scalar.bytes());
        }
    }

    private static Type readType(GgufCursor cursor) throws CheckpointFormatException {
        int number = cursor.u32();
        Optional<Type> type = Type.of(number);
        if (type.isEmpty()) {
            throw CheckpointFormatException.mismatch(
                    cursor.where(),
                    "a value type from 0 to " + (Type.values().length - 1),
                    Integer.toUnsignedString(number),
                    StrictJson.DOWNLOAD_AGAIN);
        }
        return type.get();
    }
}
