package org.setun.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** SHA-256 over longer and longer beginnings of a text, each token read once. For one thread. */
final class PrefixHashes {

    /** So many bytes of a hash tell texts apart: 128 bits. */
    static final int BYTES = 16;

    private final int[] tokens;
    private final MessageDigest digest = sha256();
    private int read;

    PrefixHashes(int[] tokens, double activationSparsity) {
        this.tokens = tokens;
        digest.update(ByteBuffer.allocate(Double.BYTES).putDouble(0, activationSparsity));
    }

    /** Returns the hash of the first {@code count} tokens; counts never become smaller. */
    byte[] after(int count) {
        if (count < read) {
            throw new IllegalArgumentException("count: expected at least " + read + ", found " + count);
        }
        ByteBuffer next = ByteBuffer.allocate(Integer.BYTES * (count - read)).order(ByteOrder.LITTLE_ENDIAN);
        next.asIntBuffer().put(tokens, read, count - read);
        digest.update(next);
        read = count;
        try {
            return Arrays.copyOf(((MessageDigest) digest.clone()).digest(), BYTES);
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("Java's own SHA-256 can be cloned", e);
        }
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
