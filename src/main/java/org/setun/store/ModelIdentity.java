package org.setun.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/**
 * Names all that a state depends on beside its tokens: a state is read only under the name that it was written under.
 *
 * @param digest 64 lower-case hexadecimal digits
 */
public record ModelIdentity(String digest) {

    static final int BYTES = 32;

    public ModelIdentity {
        if (!digest.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("digest: expected 64 hexadecimal digits, found " + digest);
        }
    }

    /** Returns the name of a list of facts, in this order: SHA-256 over their lengths and their UTF-8. */
    public static ModelIdentity of(List<String> facts) {
        MessageDigest digest = PrefixHashes.sha256();
        for (String fact : facts) {
            byte[] bytes = fact.getBytes(StandardCharsets.UTF_8);
            digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
            digest.update(bytes);
        }
        return new ModelIdentity(HexFormat.of().formatHex(digest.digest()));
    }

    byte[] bytes() {
        return HexFormat.of().parseHex(digest);
    }
}
