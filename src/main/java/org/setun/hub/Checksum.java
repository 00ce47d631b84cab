package org.setun.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a file's bytes must come to: for a file in Git LFS their SHA-256, for one in git itself the name of its blob, which
 * is the SHA-1 of {@code "blob " + length + "\0" + bytes}.
 *
 * @param hex lower-case digits
 */
record Checksum(Kind kind, String hex) {

    private static final Pattern DIGITS = Pattern.compile("[0-9a-f]+");

    /** How it is computed. */
    enum Kind {
        SHA256("sha256", "SHA-256", 64),
        GIT_BLOB("git-blob", "SHA-1", 40);

        private final String label;
        private final String algorithm;
        private final int digits;

        Kind(String label, String algorithm, int digits) {
            this.label = label;
            this.algorithm = algorithm;
            this.digits = digits;
        }

        /** Returns a digest that awaits the {@code size} bytes of a file. */
        MessageDigest start(long size) {
            try {
                MessageDigest digest = MessageDigest.getInstance(algorithm);
                if (this == GIT_BLOB) {
                    digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
                }
                return digest;
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every Java has " + algorithm, e);
            }
        }

        /** Returns what {@code digest} has come to. */
        Checksum finish(MessageDigest digest) {
            return new Checksum(this, HexFormat.of().formatHex(digest.digest()));
        }
    }

    Checksum {
        if (!isHex(hex, kind.digits)) {
            throw new IllegalArgumentException("expected " + kind.digits + " hexadecimal digits, found " + hex);
        }
    }

    /** Returns a checksum, if {@code hex} can be one. */
    static Optional<Checksum> of(Kind kind, String hex) {
        return isHex(hex, kind.digits) ? Optional.of(new Checksum(kind, hex)) : Optional.empty();
    }

    /** Reads what {@link #toString} wrote. */
    static Optional<Checksum> parse(String text) {
        for (Kind kind : Kind.values()) {
            if (text.startsWith(kind.label + ":")) {
                return of(kind, text.substring(kind.label.length() + 1));
            }
        }
        return Optional.empty();
    }

    private static boolean isHex(String text, int digits) {
        return text.length() == digits && DIGITS.matcher(text).matches();
    }

    /** Returns {@code sha256:…} or {@code git-blob:…}. */
    @Override
    public String toString() {
        return kind.label + ":" + hex;
    }
}
