package org.setun.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One mapped safetensors file: a 64-bit length, a JSON header of that length, and the tensors' data.
 *
 * @param location the file, for messages
 * @param tensors views of the mapping, in the order of their data
 * @param metadata the strings under {@code __metadata__}
 * @param data all that comes after the header
 */
record SafetensorsFile(String location, List<StoredTensor> tensors, Map<String, String> metadata, MemorySegment data) {

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int SMALLEST_HEADER = "{}".length();

    SafetensorsFile {
        tensors = List.copyOf(tensors);
        metadata = Map.copyOf(metadata);
    }

    /** Compares the data with the checksum that the file carries, if it does. */
    void verifyChecksum() throws CheckpointFormatException {
        DataChecksum.verify(location, metadata, data);
    }

    /**
     * Maps {@code path} into {@code arena}, read-only, and checks its header.
     *
     * @throws CheckpointFormatException if it is no valid safetensors file
     */
    static SafetensorsFile map(Path path, Arena arena) throws CheckpointFormatException, IOException {
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        return parse(path.toString(), file);
    }

    /** Checks the header of {@code file}, the whole content of {@code location}. */
    static SafetensorsFile parse(String location, MemorySegment file) throws CheckpointFormatException {
        int smallest = SafetensorsHeader.LENGTH_BYTES + SMALLEST_HEADER;
        if (file.byteSize() < smallest) {
            throw CheckpointFormatException.mismatch(
                    location,
                    "a safetensors file of at least " + smallest + " bytes",
                    file.byteSize() + " bytes",
                    StrictJson.DOWNLOAD_AGAIN);
        }
        long length = file.get(LENGTH, 0);
        long longest = Math.min(SafetensorsHeader.MAX_LENGTH, file.byteSize() - SafetensorsHeader.LENGTH_BYTES);
        if (length < SMALLEST_HEADER || length > longest) {
            throw CheckpointFormatException.mismatch(
                    location + ": header length",
                    SMALLEST_HEADER + " to " + longest + " bytes",
                    Long.toUnsignedString(length),
                    "the file is truncated or no safetensors file, download it again");
        }
        byte[] text = file.asSlice(SafetensorsHeader.LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        if (text[0] != '{') {
            throw CheckpointFormatException.mismatch(
                    location + ": header",
                    "'{' as its first byte",
                    String.format("0x%02x", text[0]),
                    StrictJson.DOWNLOAD_AGAIN);
        }
        MemorySegment data = file.asSlice(SafetensorsHeader.LENGTH_BYTES + length);
        SafetensorsHeader header = SafetensorsHeader.parse(location, text, data.byteSize());
        List<StoredTensor> tensors = new ArrayList<>(header.entries().size());
        for (SafetensorsHeader.Entry entry : header.entries()) {
            MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
            long offset = SafetensorsHeader.LENGTH_BYTES + length + entry.begin();
            tensors.add(new StoredTensor(location, entry.name(), entry.type(), entry.shape(), bytes, offset));
        }
        return new SafetensorsFile(location, tensors, header.metadata(), data);
    }
}
