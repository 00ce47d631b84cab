package org.setun.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * The checksum of a safetensors file's data, CRC-32C (RFC 3720, appendix B.4), which Setun's own files carry in their metadata:
 * what lies between two disks and a network is not always what was written. For one thread at a time.
 */
final class DataChecksum {

    /** The key of the metadata, whose value is eight lower-case hexadecimal digits. */
    static final String KEY = "setun.crc32c";

    /** Stands in the header until the data is written. */
    static final String PLACEHOLDER = "00000000";

    private static final long PART_BYTES = 1 << 30;

    private final CRC32C crc = new CRC32C();

    /** Adds the next bytes. */
    void update(MemorySegment bytes) {
        for (long at = 0; at < bytes.byteSize(); at += PART_BYTES) {
            long length = Math.min(PART_BYTES, bytes.byteSize() - at);
            crc.update(bytes.asSlice(at, length).asByteBuffer());
        }
    }

    /** Returns the digits. */
    String digits() {
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }

    /**
     * Compares {@code data}, all of a file's, with the checksum in its metadata, if there is one.
     *
     * @throws CheckpointFormatException if they differ
     */
    static void verify(String location, Map<String, String> metadata, MemorySegment data)
            throws CheckpointFormatException {
        String expected = metadata.get(KEY);
        if (expected == null) {
            return;
        }
        DataChecksum checksum = new DataChecksum();
        checksum.update(data);
        if (!checksum.digits().equals(expected)) {
            throw CheckpointFormatException.mismatch(
                    location + ": data",
                    "the checksum " + CheckpointFormatException.printable(expected) + " that the file carries",
                    checksum.digits(),
                    "the file was damaged after it was written, copy or convert it again");
        }
    }
}
