package org.setun.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Makes GGUF files byte by byte, right ones and wrong ones. */
public final class GgufBytes {

    private static final int U32 = 4;
    private static final int F32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private int magic = GgufFile.MAGIC;
    private int version = 3;
    private int alignment = 32;
    private OptionalLong claimedTensors = OptionalLong.empty();
    private OptionalLong claimedKeys = OptionalLong.empty();
    private final List<byte[]> keys = new ArrayList<>();
    private final List<byte[]> tensors = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    GgufBytes magic(int value) {
        magic = value;
        return this;
    }

    GgufBytes version(int value) {
        version = value;
        return this;
    }

    GgufBytes claimTensors(long count) {
        claimedTensors = OptionalLong.of(count);
        return this;
    }

    GgufBytes claimKeys(long count) {
        claimedKeys = OptionalLong.of(count);
        return this;
    }

    GgufBytes alignment(int value) {
        alignment = value;
        return u32("general.alignment", value);
    }

    public GgufBytes string(String key, String value) {
        return key(key, STRING, string(value));
    }

    public GgufBytes u32(String key, int value) {
        return key(key, U32, ints(value));
    }

    public GgufBytes f32(String key, float value) {
        return key(key, F32, ints(Float.floatToIntBits(value)));
    }

    GgufBytes bool(String key, boolean value) {
        return key(key, BOOL, new byte[] {(byte) (value ? 1 : 0)});
    }

    GgufBytes strings(String key, String... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String value : values) {
            out.writeBytes(string(value));
        }
        return array(key, STRING, values.length, out.toByteArray());
    }

    GgufBytes array(String key, int type, long length, byte[] elements) {
        return key(key, ARRAY, concat(ints(type), longs(length), elements));
    }

    /** Adds a value whose bytes are given as they are to stand in the file. */
    GgufBytes key(String key, int type, byte[] value) {
        keys.add(concat(string(key), ints(type), value));
        return this;
    }

    /** Adds a tensor after those that are there; {@code dimensions} fastest first. */
    public GgufBytes tensor(String name, int type, byte[] bytes, long... dimensions) {
        entry(name, type, data.size(), dimensions);
        data.writeBytes(bytes);
        while (data.size() % alignment != 0) {
            data.write(0);
        }
        return this;
    }

    /** Adds the entry of a tensor without data. */
    GgufBytes entry(String name, int type, long offset, long... dimensions) {
        return entry(concat(string(name), ints(dimensions.length), longs(dimensions), ints(type), longs(offset)));
    }

    /** Adds the bytes of an entry as they are to stand in the file. */
    GgufBytes entry(byte[] entry) {
        tensors.add(entry);
        return this;
    }

    public byte[] build() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ints(magic, version));
        out.writeBytes(longs(claimedTensors.orElse(tensors.size())));
        out.writeBytes(longs(claimedKeys.orElse(keys.size())));
        keys.forEach(out::writeBytes);
        tensors.forEach(out::writeBytes);
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        out.writeBytes(data.toByteArray());
        return out.toByteArray();
    }

    static byte[] string(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        return concat(longs(utf8.length), utf8);
    }

    static byte[] ints(int... values) {
        ByteBuffer out = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.asIntBuffer().put(values);
        return out.array();
    }

    static byte[] longs(long... values) {
        ByteBuffer out = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.asLongBuffer().put(values);
        return out.array();
    }

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
