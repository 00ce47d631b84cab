package org.setun.store;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.setun.engine.PrefixStore;
import org.setun.engine.StoreStatus;
import org.setun.engine.StoredPrefix;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps states in Redis, whose replicas of one model share them. Values hold the states and the token ids, which is to say the text
 * of prompts and answers; they are neither encrypted nor signed. So Redis, and everybody who can write to it, must be as trusted as
 * the server itself. Keys hold hashes alone.
 *
 * <p>A Redis that is down, slow, full or holds something else costs what it could have spared, and nothing more: each request waits
 * for it for {@link RedisSettings#timeout} a reply at most, and after three failures in a row nobody asks for five seconds.
 */
public final class RedisPrefixStore implements PrefixStore {

    private static final Logger log = LoggerFactory.getLogger(RedisPrefixStore.class);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    /** Commands that may be under way: the blocks of a few long texts. */
    private static final int MAX_COMMANDS = 8192;

    private final ClientResources resources;
    private final RedisClient client;
    private final RedisLink readLink;
    private final RedisLink writeLink;
    private final PrefixReader reader;
    private final PrefixWriter writer;
    private final StoreCounts counts;
    private boolean closed;

    /** Begins to connect, and returns at once. The caller closes it. */
    public RedisPrefixStore(RedisSettings settings, ModelIdentity identity) {
        this(settings, identity, StoreObserver.NONE);
    }

    /** Begins to connect, and returns at once; {@code observer} sees what comes and goes. The caller closes it. */
    public RedisPrefixStore(RedisSettings settings, ModelIdentity identity, StoreObserver observer) {
        this(settings, identity, observer, System::nanoTime);
    }

    RedisPrefixStore(RedisSettings settings, ModelIdentity identity, StoreObserver observer, LongSupplier nanoClock) {
        OccasionalLog warnings = new OccasionalLog(log, nanoClock);
        RedisURI uri = RedisURI.create(settings.uri());
        uri.setTimeout(CONNECT_TIMEOUT);
        this.resources = DefaultClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                .build();
        this.client = RedisClient.create(resources);
        client.setOptions(ClientOptions.builder()
                .autoReconnect(false)
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .requestQueueSize(MAX_COMMANDS)
                .socketOptions(
                        SocketOptions.builder().connectTimeout(CONNECT_TIMEOUT).build())
                .build());
        this.counts = new StoreCounts(observer);
        // Two, as a large state on its way out would keep a small one from coming in.
        this.readLink = new RedisLink(client, uri, warnings, nanoClock);
        this.writeLink = new RedisLink(client, uri, warnings, nanoClock);
        this.reader = new PrefixReader(readLink, identity, settings, counts, warnings, nanoClock);
        this.writer = new PrefixWriter(writeLink, identity, settings, counts, warnings, nanoClock, this::keepConnected);
        log.info("States are kept in Redis at {}:{}", uri.getHost(), uri.getPort());
        writer.start();
    }

    private void keepConnected() {
        readLink.keepOpen();
        writeLink.keepOpen();
    }

    @Override
    public boolean accepts(long bytes) {
        return writer.accepts(bytes);
    }

    @Override
    public void save(StoredPrefix prefix) {
        writer.save(prefix);
    }

    @Override
    public Optional<StoredPrefix> find(Wanted wanted) {
        return reader.find(wanted);
    }

    /** Returns what the store has done. */
    public StoreStatus status() {
        return counts.status();
    }

    /** Returns whether Redis can be asked now. */
    public boolean isConnected() {
        return readLink.isOpen() && writeLink.isOpen();
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            writer.close(CLOSE_TIMEOUT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        readLink.close();
        writeLink.close();
        client.shutdown(0, CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        resources.shutdown(0, CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).awaitUninterruptibly();
    }
}
