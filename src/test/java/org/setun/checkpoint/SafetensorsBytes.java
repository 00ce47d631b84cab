package org.setun.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes safetensors files byte by byte, right ones and wrong ones. */
final class SafetensorsBytes {

    private SafetensorsBytes() {}

    /** Returns a file with this header, its true length before it, and {@code data} zero bytes after it. */
    static byte[] file(String header, int data) {
        return file(header.getBytes(StandardCharsets.UTF_8), data);
    }

    /** Returns a file with these header bytes, their true length before them, and {@code data} zero bytes after them. */
    static byte[] file(byte[] header, int data) {
        return file(header.length, header, data);
    }

    /** Returns a file that claims a header of {@code length} bytes. */
    static byte[] file(long length, byte[] header, int data) {
        return ByteBuffer.allocate(Long.BYTES + header.length + data)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .put(header)
                .array();
    }

    /** Returns the header entry of a tensor. */
    static String entry(String name, String dtype, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + ","
                + end + "]}";
    }

    /** Writes {@code bytes} to a file of that name. */
    static Path write(Path directory, String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }
}
