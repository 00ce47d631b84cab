package org.setun.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Walks through a GGUF file from its first byte; whatever it reads or passes over is checked to lie within the file. */
final class GgufCursor {

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final String location;
    private final MemorySegment file;
    private String what = "header";
    private long position;

    GgufCursor(String location, MemorySegment file) {
        this.location = location;
        this.file = file;
    }

    /** Says what comes next, for messages. */
    void at(String next) {
        this.what = next;
    }

    /** Returns the file and the thing in it that is being read, as messages begin. */
    String where() {
        return location + ": " + what;
    }

    String location() {
        return location;
    }

    MemorySegment file() {
        return file;
    }

    long position() {
        return position;
    }

    private long remaining() {
        return file.byteSize() - position;
    }

    /** Passes over {@code bytes} bytes, read as unsigned. */
    void skip(long bytes) throws CheckpointFormatException {
        if (bytes < 0 || bytes > remaining()) {
            throw CheckpointFormatException.mismatch(
                    where(),
                    Long.toUnsignedString(bytes) + " bytes from byte " + position,
                    "a file of " + file.byteSize() + " bytes",
                    "the file is truncated or damaged, download it again");
        }
        position += bytes;
    }

    int u32() throws CheckpointFormatException {
        long start = position;
        skip(U32.byteSize());
        return file.get(U32, start);
    }

    long u64() throws CheckpointFormatException {
        long start = position;
        skip(U64.byteSize());
        return file.get(U64, start);
    }

    /**
     * Returns the 64-bit count of things that follow.
     *
     * @param most more than any file has
     * @param smallest the bytes that one thing takes at least
     */
    long count(String things, long most, int smallest) throws CheckpointFormatException {
        long count = u64();
        long limit = Math.min(most, remaining() / smallest);
        if (count < 0 || count > limit) {
            throw CheckpointFormatException.mismatch(
                    where(),
                    "at most " + limit + " " + things,
                    Long.toUnsignedString(count),
                    "the file is truncated or damaged, download it again");
        }
        return count;
    }

    /** Passes over a string of up to {@code longest} bytes. */
    void skipString(int longest) throws CheckpointFormatException {
        long length = u64();
        if (length < 0 || length > longest) {
            throw CheckpointFormatException.mismatch(
                    where(),
                    "a string of at most " + longest + " bytes",
                    Long.toUnsignedString(length) + " bytes",
                    StrictJson.DOWNLOAD_AGAIN);
        }
        skip(length);
    }

    /** Returns a string of up to {@code longest} bytes. */
    String string(int longest) throws CheckpointFormatException {
        long start = position + Long.BYTES;
        skipString(longest);
        return decode(where(), file.asSlice(start, position - start));
    }

    /** Returns the string at {@code start}, which {@link #skipString} has passed over before. */
    static String stringAt(String where, MemorySegment file, long start) throws CheckpointFormatException {
        return decode(where, file.asSlice(start + Long.BYTES, file.get(U64, start)));
    }

    /** Returns where the string at {@code start}, already checked, ends. */
    static long endOfString(MemorySegment file, long start) {
        return start + Long.BYTES + file.get(U64, start);
    }

    private static String decode(String where, MemorySegment bytes) throws CheckpointFormatException {
        try {
            // A fresh decoder reports what is malformed, where a String's constructor would replace it.
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toArray(ValueLayout.JAVA_BYTE)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CheckpointFormatException(where + ": the string is not UTF-8; " + StrictJson.DOWNLOAD_AGAIN, e);
        }
    }
}
