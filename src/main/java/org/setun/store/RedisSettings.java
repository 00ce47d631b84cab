package org.setun.store;

import io.lettuce.core.RedisURI;
import java.time.Duration;

/**
 * Where Redis is, and how it is used.
 *
 * @param uri {@code redis://[user:password@]host[:port][/database]}, {@code rediss://} for TLS
 * @param timeout how long a request waits for each reply, more than 0; for a value 1 ms longer with every 100,000 bytes
 * @param ttl how long a state is kept, at least 1 ms
 * @param maxEntryBytes larger values are not saved; at least 1, less than 512 MiB, which is Redis's own limit
 */
public record RedisSettings(String uri, Duration timeout, Duration ttl, int maxEntryBytes) {

    /** The largest value that Redis takes. */
    public static final int MAX_ENTRY_BYTES = 512 << 20;

    public RedisSettings {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout: expected more than 0, found " + timeout);
        }
        if (ttl.toMillis() < 1) {
            throw new IllegalArgumentException("ttl: expected at least 1 ms, found " + ttl);
        }
        if (maxEntryBytes < 1 || maxEntryBytes > MAX_ENTRY_BYTES) {
            throw new IllegalArgumentException(
                    "maxEntryBytes: expected 1 to " + MAX_ENTRY_BYTES + ", found " + maxEntryBytes);
        }
        if (!uri.startsWith("redis://") && !uri.startsWith("rediss://")) {
            throw new IllegalArgumentException("uri: expected redis://host:port or rediss://host:port");
        }
        // What cannot be understood fails here, and not in the middle of a request.
        if (RedisURI.create(uri).getHost() == null) {
            throw new IllegalArgumentException("uri: expected a host");
        }
    }

    /** Prints everything but the password. */
    @Override
    public String toString() {
        RedisURI address = RedisURI.create(uri);
        return "RedisSettings[host=" + address.getHost() + ", port=" + address.getPort() + ", timeout=" + timeout
                + ", ttl=" + ttl + ", maxEntryBytes=" + maxEntryBytes + "]";
    }
}
