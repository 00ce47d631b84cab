package org.setun.store;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * The names of values in Redis. A state lies under the hash of its tokens. So that it can be found without knowing how many tokens
 * it has, its {@link IndexEntry} lies under the hash of as many of its first tokens as fill {@linkplain #BLOCK_TOKENS blocks}: who
 * looks for a beginning of a text asks for the entries of the text's own blocks. Keys hold hashes alone.
 */
final class PrefixKeys {

    /** Few, so that texts which part early do not meet in one entry; many, so that a long text has few blocks. */
    static final int BLOCK_TOKENS = 64;

    private final String namespace;

    PrefixKeys(ModelIdentity identity) {
        this.namespace =
                "setun:" + PrefixCodec.VERSION + ":" + identity.digest().substring(0, 32) + ":";
    }

    /** Returns how many of {@code count} tokens fill blocks. */
    static int block(int count) {
        return count / BLOCK_TOKENS * BLOCK_TOKENS;
    }

    /** Returns the key of a state, of whose tokens this is the hash. */
    byte[] state(byte[] hash) {
        return key("state:", hash);
    }

    /** Returns the key of the entries of those states whose full blocks have this hash. */
    byte[] index(byte[] blockHash) {
        return key("index:", blockHash);
    }

    private byte[] key(String kind, byte[] hash) {
        return (namespace + kind + HexFormat.of().formatHex(hash)).getBytes(StandardCharsets.US_ASCII);
    }
}
