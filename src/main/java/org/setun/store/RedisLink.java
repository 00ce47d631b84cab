package org.setun.store;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to Redis that is there or not: nobody waits for it. Who asks while it is down has it tried again, at most once a
 * second; what was under way when it went down fails. Thread-safe.
 */
final class RedisLink {

    private static final Logger log = LoggerFactory.getLogger(RedisLink.class);

    private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

    private final RedisClient client;
    private final RedisURI uri;
    private final OccasionalLog warnings;
    private final LongSupplier nanoClock;

    private volatile @Nullable StatefulRedisConnection<byte[], byte[]> connection;
    private CompletableFuture<?> opening = CompletableFuture.completedFuture(null);
    private boolean closed;
    private long lastTryNanos;

    RedisLink(RedisClient client, RedisURI uri, OccasionalLog warnings, LongSupplier nanoClock) {
        this.client = client;
        this.uri = uri;
        this.warnings = warnings;
        this.nanoClock = nanoClock;
        this.lastTryNanos = nanoClock.getAsLong() - RETRY_NANOS;
    }

    /** Returns whether the connection is there. */
    boolean isOpen() {
        StatefulRedisConnection<byte[], byte[]> current = connection;
        return current != null && current.isOpen();
    }

    /** Returns the commands of the connection; empty while it is down. */
    Optional<RedisAsyncCommands<byte[], byte[]>> commands() {
        StatefulRedisConnection<byte[], byte[]> current = connection;
        if (current != null && current.isOpen()) {
            return Optional.of(current.async());
        }
        keepOpen();
        return Optional.empty();
    }

    /** Begins to connect, if there is no connection and no other try under way. */
    synchronized void keepOpen() {
        long now = nanoClock.getAsLong();
        if (closed || !opening.isDone() || isOpen() || now - lastTryNanos < RETRY_NANOS) {
            return;
        }
        reset();
        lastTryNanos = now;
        try {
            opening = client.connectAsync(ByteArrayCodec.INSTANCE, uri)
                    .whenComplete(this::connected)
                    .toCompletableFuture();
        } catch (RuntimeException e) {
            connected(null, e);
        }
    }

    private synchronized void connected(
            @Nullable StatefulRedisConnection<byte[], byte[]> opened, @Nullable Throwable cause) {
        if (opened == null) {
            warnings.warn("Redis cannot be reached, going on without: {}", String.valueOf(cause));
        } else if (closed) {
            close(opened);
        } else {
            connection = opened;
        }
    }

    /** Gives up the connection and all that is under way on it: the next one begins with nothing to catch up on. */
    synchronized void reset() {
        StatefulRedisConnection<byte[], byte[]> current = connection;
        connection = null;
        if (current != null) {
            close(current);
        }
    }

    private static void close(StatefulRedisConnection<?, ?> connection) {
        // Nobody waits for it; a fault that shows later is one of a connection that nobody needs.
        if (connection.closeAsync().isCompletedExceptionally()) {
            log.debug("A connection to Redis did not close well");
        }
    }

    /** Connects no more. Closing the client closes the connection. */
    synchronized void close() {
        closed = true;
    }
}
