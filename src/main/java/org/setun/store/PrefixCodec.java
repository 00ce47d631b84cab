package org.setun.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import org.setun.engine.StoredPrefix;

/**
 * Writes and reads a state as one value, little-endian:
 *
 * <pre>
 * 8 bytes   "SETUNPFX"
 * int       the version of this format
 * 32 bytes  the model's identity
 * double    the activation sparsity
 * int       the number of tokens, t
 * int       the size of the state, s
 * t ints    the tokens
 * s bytes   the state
 * int       CRC-32C (RFC 3720, appendix B.4) of all before
 * </pre>
 *
 * Every field is checked when it is read, lengths before anything is allocated. Thread-safe.
 */
final class PrefixCodec {

    /** To be raised with every change of the format, or of what the bytes of a state mean. */
    static final int VERSION = 1;

    private static final long MAGIC = 0x5846504E55544553L;
    private static final int HEADER_BYTES =
            Long.BYTES + Integer.BYTES + ModelIdentity.BYTES + Double.BYTES + 2 * Integer.BYTES;

    private final byte[] identity;

    PrefixCodec(ModelIdentity identity) {
        this.identity = identity.bytes();
    }

    /** Returns the size of the value of a state. */
    static long bytes(int tokens, long stateBytes) {
        return HEADER_BYTES + (long) Integer.BYTES * tokens + stateBytes + Integer.BYTES;
    }

    /** Returns the value of a state, for which an array must be long enough. */
    byte[] encode(StoredPrefix prefix) {
        int size = Math.toIntExact(bytes(prefix.tokens().length, prefix.state().length));
        ByteBuffer value = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        value.putLong(MAGIC).putInt(VERSION).put(identity).putDouble(prefix.activationSparsity());
        value.putInt(prefix.tokens().length).putInt(prefix.state().length);
        value.asIntBuffer().put(prefix.tokens());
        value.position(value.position() + Integer.BYTES * prefix.tokens().length);
        value.put(prefix.state());
        value.putInt(checksum(value.array(), value.position()));
        return value.array();
    }

    /**
     * Returns the state of a value.
     *
     * @throws InvalidEntryException if the value is not what {@link #encode} writes for this model
     */
    StoredPrefix decode(byte[] bytes) throws InvalidEntryException {
        if (bytes.length < bytes(1, 0)) {
            throw new InvalidEntryException("size", "at least " + bytes(1, 0), bytes.length);
        }
        ByteBuffer value = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        require("magic", MAGIC, value.getLong());
        require("version", VERSION, value.getInt());
        byte[] found = new byte[ModelIdentity.BYTES];
        value.get(found);
        if (!Arrays.equals(identity, found)) {
            throw new InvalidEntryException(
                    "model", HexFormat.of().formatHex(identity), HexFormat.of().formatHex(found));
        }
        double sparsity = value.getDouble();
        int tokens = value.getInt();
        int stateBytes = value.getInt();
        if (tokens < 1 || stateBytes < 0 || !(sparsity >= 0 && sparsity < 1)) {
            throw new InvalidEntryException(
                    "tokens, state size, sparsity",
                    "1 or more, 0 or more, from 0 to below 1",
                    tokens + ", " + stateBytes + ", " + sparsity);
        }
        require("size", bytes(tokens, stateBytes), bytes.length);
        int end = bytes.length - Integer.BYTES;
        require("checksum", checksum(bytes, end), value.getInt(end));
        int[] ids = new int[tokens];
        value.asIntBuffer().get(ids);
        int stateAt = HEADER_BYTES + Integer.BYTES * tokens;
        return new StoredPrefix(ids, sparsity, Arrays.copyOfRange(bytes, stateAt, end));
    }

    private static void require(String what, long expected, long found) throws InvalidEntryException {
        if (expected != found) {
            throw new InvalidEntryException(what, expected, found);
        }
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
