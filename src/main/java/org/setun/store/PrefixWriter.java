package org.setun.store;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.setun.engine.StoredPrefix;

/**
 * Saves states on a thread of its own, one after the other. Few wait: who comes while there are too many, or while Redis is out of
 * reach, is dropped. Thread-safe.
 */
final class PrefixWriter implements Runnable {

    /** Entries under one key of the index, the newest ones. */
    static final int MAX_ENTRIES = 16;

    /** States that wait to be saved, of so many bytes together as two of the largest. */
    private static final int MAX_WAITING = 64;

    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final long LOOK_NANOS = Duration.ofSeconds(1).toNanos();

    private final RedisLink link;
    private final PrefixKeys keys;
    private final PrefixCodec codec;
    private final RedisSettings settings;
    private final StoreCounts counts;
    private final OccasionalLog warnings;
    private final CircuitBreaker breaker;
    private final Runnable whileIdle;
    private final Thread thread;

    private final ArrayDeque<StoredPrefix> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private boolean closing;

    /**
     * Starts the thread.
     *
     * @param whileIdle runs on it about once a second
     */
    PrefixWriter(
            RedisLink link,
            ModelIdentity identity,
            RedisSettings settings,
            StoreCounts counts,
            OccasionalLog warnings,
            LongSupplier nanoClock,
            Runnable whileIdle) {
        this.link = link;
        this.keys = new PrefixKeys(identity);
        this.codec = new PrefixCodec(identity);
        this.settings = settings;
        this.counts = counts;
        this.warnings = warnings;
        this.breaker = new CircuitBreaker(nanoClock);
        this.whileIdle = whileIdle;
        this.thread = Thread.ofPlatform().daemon().name("setun-redis-writer").unstarted(this);
    }

    void start() {
        thread.start();
    }

    /** Returns whether a state of {@code bytes} bytes would be taken now, and counts it if not. */
    synchronized boolean accepts(long bytes) {
        boolean room = waiting.size() < MAX_WAITING && waitingBytes + bytes <= 2L * settings.maxEntryBytes();
        boolean accepted = !closing && room && bytes < settings.maxEntryBytes() && link.isOpen() && breaker.allows();
        if (!accepted) {
            counts.dropped();
        }
        return accepted;
    }

    /** Takes a state, or drops it. */
    synchronized void save(StoredPrefix prefix) {
        if (accepts(prefix.state().length)) {
            waiting.add(prefix);
            waitingBytes += prefix.state().length;
            notifyAll();
        }
    }

    @Override
    public void run() {
        while (true) {
            try {
                whileIdle.run();
                StoredPrefix next = next();
                if (next != null) {
                    write(next);
                }
            } catch (InterruptedException e) {
                // close() has waited long enough.
                return;
            } catch (StoreFaultException | RuntimeException | OutOfMemoryError e) {
                failed(e);
            }
            if (isDone()) {
                return;
            }
        }
    }

    private synchronized @Nullable StoredPrefix next() throws InterruptedException {
        long end = System.nanoTime() + LOOK_NANOS;
        for (long left = LOOK_NANOS; waiting.isEmpty() && !closing && left > 0; left = end - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        StoredPrefix next = waiting.poll();
        waitingBytes -= next == null ? 0 : next.state().length;
        return next;
    }

    private synchronized boolean isDone() {
        return closing && waiting.isEmpty();
    }

    private void write(StoredPrefix prefix) throws StoreFaultException, InterruptedException {
        int tokens = prefix.tokens().length;
        long size = PrefixCodec.bytes(tokens, prefix.state().length);
        RedisAsyncCommands<byte[], byte[]> commands = link.commands().orElse(null);
        if (size > settings.maxEntryBytes() || commands == null || !breaker.allows()) {
            counts.dropped();
            return;
        }
        long start = System.nanoTime();
        PrefixHashes hashes = new PrefixHashes(prefix.tokens(), prefix.activationSparsity());
        byte[] index = keys.index(hashes.after(PrefixKeys.block(tokens)));
        byte[] hash = hashes.after(tokens);
        byte[] value = codec.encode(prefix);
        byte[] entry = new IndexEntry(tokens, value.length, hash).toBytes();
        Errors errors = new Errors();
        await(commands.set(keys.state(hash), value, SetArgs.Builder.px(settings.ttl())), errors);
        // The entry comes second, so that nobody looks for a state that is not there yet.
        await(commands.zadd(index, (double) System.currentTimeMillis(), entry), errors);
        await(commands.zremrangebyrank(index, 0, -MAX_ENTRIES - 1), errors);
        await(commands.pexpire(index, settings.ttl()), errors);
        breaker.succeeded();
        counts.saved(value.length, Duration.ofNanos(System.nanoTime() - start));
    }

    private static <T> void await(RedisFuture<T> future, Errors errors)
            throws StoreFaultException, InterruptedException {
        Replies.await(List.of(future), TIMEOUT.toNanos(), errors);
        errors.rethrow();
    }

    private void failed(Throwable fault) {
        counts.error();
        warnings.warn("A state could not be saved in Redis: {}", String.valueOf(fault.getMessage()));
        if (breaker.failed()) {
            link.reset();
        }
    }

    /** Saves what waits, for at most {@code timeout}, and ends the thread. Idempotent. */
    void close(Duration timeout) throws InterruptedException {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        if (!thread.join(timeout)) {
            thread.interrupt();
            thread.join();
        }
    }

    /** Keeps the error that Redis replied. */
    private static final class Errors implements Consumer<Throwable> {

        private @Nullable Throwable error;

        @Override
        public void accept(Throwable reply) {
            error = reply;
        }

        void rethrow() throws StoreFaultException {
            if (error != null) {
                throw new StoreFaultException(String.valueOf(error.getMessage()), error);
            }
        }
    }
}
