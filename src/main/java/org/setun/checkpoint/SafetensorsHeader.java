package org.setun.checkpoint;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;

/**
 * The JSON header of a safetensors file, every field checked. As the safetensors library does, and so that no file can
 * hide bytes, it demands that the tensors cover the data area exactly: no gap, no overlap, nothing after the last one.
 * Keys of a tensor's entry other than its three are ignored, as that library ignores them.
 *
 * @param entries the tensors in the order of their data
 * @param metadata the strings under {@code __metadata__}
 */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata) {

    /** The key that holds the metadata and so cannot name a tensor. */
    static final String METADATA = "__metadata__";

    /** Bytes of the little-endian length that precedes the header. */
    static final int LENGTH_BYTES = Long.BYTES;

    /** The longest header that readers accept. */
    static final int MAX_LENGTH = 100_000_000;

    /** More tensors than any model has: the largest mixtures of experts come to some 150,000. */
    static final int MAX_TENSORS = 1 << 18;

    private static final int MAX_METADATA = 1 << 16;

    // NumPy's own limit: enough for any tensor, small enough that a shape costs nothing.
    private static final int MAX_RANK = 64;

    private static final List<ElementType> TYPES =
            Arrays.stream(ElementType.values()).filter(type -> !type.isBlock()).toList();

    private static final String TRUNCATED = "the file is truncated, download it again";

    SafetensorsHeader {
        entries = List.copyOf(entries);
        metadata = Map.copyOf(metadata);
    }

    /**
     * One tensor.
     *
     * @param begin where its data begins, relative to the end of the header
     * @param end where its data ends
     */
    record Entry(String name, ElementType type, Shape shape, long begin, long end) {}

    /**
     * Parses the header of {@code file}.
     *
     * @param text the header's bytes, without the length
     * @param dataBytes the size of the file after the header
     */
    static SafetensorsHeader parse(String file, byte[] text, long dataBytes) throws CheckpointFormatException {
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Map<String, String> metadata = new TreeMap<>();
        try (StrictJson json = new StrictJson(file + ": header", text)) {
            json.readDocument(key -> {
                if (!names.add(key)) {
                    throw StrictJson.duplicate(file + ": header", key);
                }
                StrictJson.requireAtMost(file + ": header", MAX_TENSORS, "tensors", entries.size() + 1);
                if (key.equals(METADATA)) {
                    metadata.putAll(json.readStrings(file + ": " + METADATA, MAX_METADATA));
                } else {
                    String where = file + ": tensor " + CheckpointFormatException.printable(key);
                    entries.add(readEntry(json, key, where, text.length, dataBytes));
                }
            });
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        checkCover(file, entries, dataBytes);
        return new SafetensorsHeader(entries, metadata);
    }

    private static Entry readEntry(StrictJson json, String name, String where, int headerBytes, long dataBytes)
            throws CheckpointFormatException {
        var fields = new Object() {
            @Nullable
            String type;

            long @Nullable [] shape;
            long @Nullable [] offsets;
        };
        Set<String> seen = new HashSet<>();
        json.readObject(where, key -> {
            if (!seen.add(key)) {
                throw StrictJson.duplicate(where, key);
            }
            switch (key) {
                case "dtype" -> fields.type = json.readString(where + ": dtype");
                case "shape" -> fields.shape = json.readIntegers(where + ": shape", MAX_RANK);
                case "data_offsets" -> fields.offsets = json.readIntegers(where + ": data_offsets", 2);
                default -> json.skip();
            }
        });
        ElementType type = elementType(where, require(where, "dtype", fields.type));
        Shape shape = Shape.of(require(where, "shape", fields.shape));
        long[] offsets = require(where, "data_offsets", fields.offsets);
        if (offsets.length != 2) {
            throw CheckpointFormatException.mismatch(
                    where + ": data_offsets", "2 integers", offsets.length, StrictJson.DOWNLOAD_AGAIN);
        }
        Entry entry = new Entry(name, type, shape, offsets[0], offsets[1]);
        checkRange(where, entry, headerBytes, dataBytes);
        return entry;
    }

    private static void checkRange(String where, Entry entry, int headerBytes, long dataBytes)
            throws CheckpointFormatException {
        long bytes;
        try {
            bytes = Math.multiplyExact(entry.shape().elements(), entry.type().bytes());
        } catch (ArithmeticException e) {
            throw new CheckpointFormatException(
                    where + ": shape: expected less than 2^63 bytes, found " + entry.shape() + " " + entry.type() + "; "
                            + StrictJson.DOWNLOAD_AGAIN,
                    e);
        }
        if (entry.begin() > entry.end() || entry.end() - entry.begin() != bytes) {
            throw CheckpointFormatException.mismatch(
                    where + ": data_offsets",
                    bytes + " bytes for " + entry.shape() + " " + entry.type(),
                    "[" + entry.begin() + ", " + entry.end() + "]",
                    StrictJson.DOWNLOAD_AGAIN);
        }
        if (entry.end() > dataBytes) {
            long before = (long) LENGTH_BYTES + headerBytes;
            // Unsigned: the end may be as large as 2^63 - 1.
            String expected = Long.toUnsignedString(before + entry.end());
            throw CheckpointFormatException.mismatch(
                    where, "data up to byte " + expected, "a file of " + (before + dataBytes) + " bytes", TRUNCATED);
        }
    }

    private static void checkCover(String file, List<Entry> entries, long dataBytes) throws CheckpointFormatException {
        long covered = 0;
        String last = "the header";
        for (Entry entry : entries) {
            String name = "tensor " + CheckpointFormatException.printable(entry.name());
            if (entry.begin() < covered) {
                throw CheckpointFormatException.invalid(
                        file + ": " + name, "its data overlaps that of " + last, StrictJson.DOWNLOAD_AGAIN);
            }
            if (entry.begin() > covered) {
                throw CheckpointFormatException.invalid(
                        file + ": " + name,
                        (entry.begin() - covered) + " bytes before its data belong to no tensor",
                        StrictJson.DOWNLOAD_AGAIN);
            }
            covered = entry.end();
            last = name;
        }
        if (covered != dataBytes) {
            throw CheckpointFormatException.invalid(
                    file,
                    (dataBytes - covered) + " bytes after " + last + " belong to no tensor",
                    StrictJson.DOWNLOAD_AGAIN);
        }
    }

    private static ElementType elementType(String where, String name) throws CheckpointFormatException {
        for (ElementType type : TYPES) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        throw CheckpointFormatException.mismatch(
                where + ": dtype",
                "one of " + TYPES,
                CheckpointFormatException.printable(name),
                "convert the checkpoint to a supported type");
    }

    private static <T> T require(String where, String key, @Nullable T value) throws CheckpointFormatException {
        if (value == null) {
            throw CheckpointFormatException.mismatch(
                    where, "dtype, shape and data_offsets", "no " + key, StrictJson.DOWNLOAD_AGAIN);
        }
        return value;
    }

    /**
     * Returns the header of a file that holds {@code tensors} one after the other: JSON padded with spaces so that the
     * data begin at a multiple of 8.
     *
     * @throws IllegalArgumentException if it grows beyond what readers accept
     */
    static byte[] encode(List<SafetensorsWriter.Declaration> tensors, Map<String, String> metadata) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = StrictJson.FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeName(METADATA);
                json.writeStartObject();
                new TreeMap<>(metadata).forEach(json::writeStringProperty);
                json.writeEndObject();
            }
            long begin = 0;
            for (SafetensorsWriter.Declaration tensor : tensors) {
                long end = Math.addExact(begin, tensor.bytes());
                json.writeName(tensor.name());
                json.writeStartObject();
                json.writeStringProperty("dtype", tensor.type().name());
                writeIntegers(json, "shape", tensor.shape().dimensions());
                writeIntegers(json, "data_offsets", List.of(begin, end));
                json.writeEndObject();
                begin = end;
            }
            json.writeEndObject();
        }
        while (out.size() % LENGTH_BYTES != 0) {
            out.write(' ');
        }
        if (out.size() > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "expected a header of at most " + MAX_LENGTH + " bytes, found " + out.size());
        }
        return out.toByteArray();
    }

    private static void writeIntegers(JsonGenerator json, String name, List<Long> values) {
        json.writeName(name);
        json.writeStartArray();
        values.forEach(json::writeNumber);
        json.writeEndArray();
    }
}
