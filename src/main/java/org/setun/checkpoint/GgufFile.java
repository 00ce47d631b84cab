package org.setun.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One mapped GGUF file, version 2 or 3: typed metadata, the tensors' names, shapes and places, and their data.
 *
 * @param tensors views of the mapping, in the order of their data
 * @param metadata the key-value pairs
 */
record GgufFile(List<StoredTensor> tensors, GgufMetadata metadata) {

    /** The first four bytes, as a little-endian integer. */
    static final int MAGIC = 0x46554747;

    static final int LONGEST_NAME = 4096;
    private static final int MAX_KEYS = 1 << 16;
    private static final int SMALLEST_KEY = Long.BYTES + Integer.BYTES + 1;
    private static final int OLDEST_VERSION = 2;
    private static final int NEWEST_VERSION = 3;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final String ALIGNMENT = "general.alignment";

    GgufFile {
        tensors = List.copyOf(tensors);
    }

    /**
     * Maps {@code path} into {@code arena}, read-only, and checks its header.
     *
     * @throws CheckpointFormatException if it is no GGUF file that this version reads
     */
    static GgufFile map(Path path, Arena arena) throws CheckpointFormatException, IOException {
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        return parse(path.toString(), file);
    }

    /** Checks the header of {@code file}, the whole content of {@code location}. */
    static GgufFile parse(String location, MemorySegment file) throws CheckpointFormatException {
        GgufCursor cursor = new GgufCursor(location, file.asReadOnly());
        requireVersion(cursor);
        cursor.at("tensor count");
        int tensors = (int) cursor.count("tensors", SafetensorsHeader.MAX_TENSORS, GgufTensorDirectory.SMALLEST_ENTRY);
        cursor.at("metadata count");
        int keys = (int) cursor.count("metadata keys", MAX_KEYS, SMALLEST_KEY);
        GgufMetadata metadata = readMetadata(cursor, keys);
        return new GgufFile(GgufTensorDirectory.read(cursor, tensors, alignment(metadata)), metadata);
    }

    private static void requireVersion(GgufCursor cursor) throws CheckpointFormatException {
        int magic = cursor.u32();
        if (magic != MAGIC) {
            throw CheckpointFormatException.mismatch(
                    cursor.location(), "a GGUF file", String.format("0x%08x first", magic), "name a GGUF file");
        }
        cursor.at("version");
        int version = cursor.u32();
        if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
            int swapped = Integer.reverseBytes(version);
            boolean bigEndian = swapped >= 1 && swapped <= NEWEST_VERSION;
            throw CheckpointFormatException.mismatch(
                    cursor.where(),
                    OLDEST_VERSION + " or " + NEWEST_VERSION,
                    bigEndian ? swapped + " in big-endian order" : Integer.toUnsignedString(version),
                    bigEndian ? "get the little-endian file" : "convert the model again with a current llama.cpp");
        }
    }

    private static GgufMetadata readMetadata(GgufCursor cursor, int keys) throws CheckpointFormatException {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        for (int i = 0; i < keys; i++) {
            cursor.at("metadata key " + i);
            String key = cursor.string(LONGEST_NAME);
            cursor.at("metadata " + CheckpointFormatException.printable(key));
            if (values.put(key, GgufValue.read(cursor)) != null) {
                throw CheckpointFormatException.invalid(
                        cursor.where(), "the key stands there twice", StrictJson.DOWNLOAD_AGAIN);
            }
        }
        return new GgufMetadata(cursor.location(), cursor.file(), values);
    }

    private static int alignment(GgufMetadata metadata) throws CheckpointFormatException {
        int alignment = metadata.findCount(ALIGNMENT).orElse(DEFAULT_ALIGNMENT);
        if (Integer.bitCount(alignment) != 1) {
            throw metadata.mismatch(ALIGNMENT, "a power of two", Integer.toString(alignment));
        }
        return alignment;
    }
}
