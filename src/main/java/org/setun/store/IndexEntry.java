package org.setun.store;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Says that a state was saved. A member of a sorted set: two big-endian ints, then the hash.
 *
 * @param tokens how many tokens the state has seen
 * @param valueBytes the size of its value
 * @param hash of its tokens, {@link PrefixHashes#BYTES} bytes
 */
record IndexEntry(int tokens, int valueBytes, byte[] hash) {

    private static final int BYTES = 2 * Integer.BYTES + PrefixHashes.BYTES;

    byte[] toBytes() {
        return ByteBuffer.allocate(BYTES)
                .putInt(tokens)
                .putInt(valueBytes)
                .put(hash)
                .array();
    }

    /** Reads what {@link #toBytes} writes; empty if it is something else. */
    static Optional<IndexEntry> parse(byte[] bytes) {
        if (bytes.length != BYTES) {
            return Optional.empty();
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        int tokens = buffer.getInt();
        int valueBytes = buffer.getInt();
        byte[] hash = new byte[PrefixHashes.BYTES];
        buffer.get(hash);
        return tokens < 1 || valueBytes < 1 ? Optional.empty() : Optional.of(new IndexEntry(tokens, valueBytes, hash));
    }
}
