package org.setun.web;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keys that open the API, by name. A key is given as it is, or as {@code sha256:} and the 64 hexadecimal digits of its
 * SHA-256 hash, which a shell makes with {@code printf %s "$KEY" | sha256sum}. Only hashes are kept. Keys are random and
 * long, so a hash that is quick to compute protects them: there is no dictionary to try. Thread-safe.
 */
public final class ApiKeys {

    private static final String HASH_PREFIX = "sha256:";
    private static final Pattern HASH = Pattern.compile("[0-9a-fA-F]{64}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    // What an HTTP header carries whole.
    private static final Pattern KEY = Pattern.compile("[!-~]+");

    private record NamedHash(String name, byte[] hash) {}

    private final List<NamedHash> hashes = new ArrayList<>();

    private ApiKeys() {}

    /** Returns no keys: the API is open. */
    public static ApiKeys none() {
        return new ApiKeys();
    }

    /**
     * Returns the keys of the settings and of a file.
     *
     * @param configured keys or hashes by name, from {@code setun.server.api-keys}
     * @param file a file with a {@code name:key} or {@code name:sha256:hash} on each line, and comments after {@code #}; null
     *     for none
     * @throws InvalidSettingException if a name or key is malformed or there twice, or the file cannot be read or has none
     */
    public static ApiKeys of(Map<String, String> configured, @Nullable Path file) {
        ApiKeys keys = new ApiKeys();
        configured.forEach((name, key) -> keys.add("setun.server.api-keys." + name, name, key));
        if (file != null) {
            ApiKeyFile.read(file).forEach(line -> keys.add(line.place(), line.name(), line.key()));
        }
        return keys;
    }

    /** Returns whether there are no keys, so that the API is open. */
    public boolean isEmpty() {
        return hashes.isEmpty();
    }

    /** Returns the names of all keys. */
    public List<String> names() {
        return hashes.stream().map(NamedHash::name).toList();
    }

    /** Returns the name of {@code key}, if it is one. How long that takes says nothing about the keys. */
    Optional<String> name(String key) {
        byte[] hash = sha256(key);
        String found = null;
        for (NamedHash candidate : hashes) {
            if (MessageDigest.isEqual(candidate.hash(), hash)) {
                found = candidate.name();
            }
        }
        return Optional.ofNullable(found);
    }

    private void add(String place, String name, String key) {
        if (!NAME.matcher(name).matches()) {
            throw new InvalidSettingException(
                    place + ": expected a name of 1 to 64 letters, digits, '.', '_' and '-', found '" + name + "'");
        }
        byte[] hash = hash(place, key);
        for (NamedHash other : hashes) {
            if (other.name().equals(name)) {
                throw new InvalidSettingException(
                        place + ": expected each name once, found '" + name + "' a second time");
            }
            if (MessageDigest.isEqual(other.hash(), hash)) {
                throw new InvalidSettingException(
                        place + ": expected a key of its own, found that of '" + other.name() + "'");
            }
        }
        hashes.add(new NamedHash(name, hash));
    }

    // No message tells what was found: it may be a key with a slip in it.
    private static byte[] hash(String place, String key) {
        if (key.startsWith(HASH_PREFIX)) {
            String digits = key.substring(HASH_PREFIX.length());
            if (!HASH.matcher(digits).matches()) {
                throw new InvalidSettingException(place + ": expected 64 hexadecimal digits after " + HASH_PREFIX
                        + ", found " + digits.length() + " characters that are not that");
            }
            return HexFormat.of().parseHex(digits);
        }
        if (HASH.matcher(key).matches()) {
            throw new InvalidSettingException(place + ": expected " + HASH_PREFIX
                    + " before the hash of a key, found 64 hexadecimal digits without it; if they are the key itself, give"
                    + " its hash");
        }
        if (!KEY.matcher(key).matches()) {
            throw new InvalidSettingException(
                    place + ": expected a key of printable ASCII characters without spaces, found "
                            + (key.isEmpty() ? "none" : "others"));
        }
        return sha256(key);
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
