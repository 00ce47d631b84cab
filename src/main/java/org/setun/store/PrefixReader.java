package org.setun.store;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import org.setun.engine.PrefixStore.Wanted;
import org.setun.engine.StoredPrefix;

/**
 * Finds states: asks for the index entries of all of a text's blocks at once, then for the longest state that they name. What is
 * late, gone or damaged is a miss. Thread-safe.
 */
final class PrefixReader {

    /** Blocks that are asked for, the last ones of the text: 16,384 tokens. */
    private static final int MAX_BLOCKS = 256;

    /** States that are tried: an entry can outlive its state. */
    private static final int MAX_TRIES = 3;

    /** States that are fetched at once, each of which takes memory. */
    private static final int MAX_FETCHES = 8;

    /** How quickly a value comes at least: 100 MB/s. */
    private static final long BYTES_PER_MILLISECOND = 100_000;

    private final RedisLink link;
    private final PrefixKeys keys;
    private final PrefixCodec codec;
    private final RedisSettings settings;
    private final StoreCounts counts;
    private final OccasionalLog warnings;
    private final CircuitBreaker breaker;
    private final Semaphore fetches = new Semaphore(MAX_FETCHES);

    PrefixReader(
            RedisLink link,
            ModelIdentity identity,
            RedisSettings settings,
            StoreCounts counts,
            OccasionalLog warnings,
            LongSupplier nanoClock) {
        this.link = link;
        this.keys = new PrefixKeys(identity);
        this.codec = new PrefixCodec(identity);
        this.settings = settings;
        this.counts = counts;
        this.warnings = warnings;
        this.breaker = new CircuitBreaker(nanoClock);
    }

    /** Returns the longest state that is wanted and comes in time. */
    Optional<StoredPrefix> find(Wanted wanted) {
        RedisAsyncCommands<byte[], byte[]> commands =
                breaker.allows() ? link.commands().orElse(null) : null;
        if (commands == null || !fetches.tryAcquire()) {
            return Optional.empty();
        }
        counts.query();
        long start = System.nanoTime();
        try {
            Optional<StoredPrefix> found = find(wanted, commands);
            breaker.succeeded();
            found.ifPresent(prefix -> counts.hit(Duration.ofNanos(System.nanoTime() - start)));
            return found;
        } catch (StoreFaultException e) {
            error(e);
            if (breaker.failed()) {
                link.reset();
            }
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            fetches.release();
        }
    }

    private Optional<StoredPrefix> find(Wanted wanted, RedisAsyncCommands<byte[], byte[]> commands)
            throws StoreFaultException, InterruptedException {
        List<IndexEntry> entries = matching(wanted, entries(wanted, commands));
        for (int i = entries.size() - 1; i >= Math.max(0, entries.size() - MAX_TRIES); i--) {
            Optional<StoredPrefix> found = fetch(wanted, entries.get(i), commands);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** Returns the entries of the text's blocks, whatever they hold. */
    private List<byte[]> entries(Wanted wanted, RedisAsyncCommands<byte[], byte[]> commands)
            throws StoreFaultException, InterruptedException {
        int last = PrefixKeys.block(wanted.most());
        int first = Math.max(PrefixKeys.block(wanted.least()), last - (MAX_BLOCKS - 1) * PrefixKeys.BLOCK_TOKENS);
        PrefixHashes hashes = new PrefixHashes(wanted.prompt(), wanted.activationSparsity());
        List<RedisFuture<List<byte[]>>> futures = new ArrayList<>();
        for (int block = first; block <= last; block += PrefixKeys.BLOCK_TOKENS) {
            futures.add(commands.zrange(keys.index(hashes.after(block)), 0, PrefixWriter.MAX_ENTRIES - 1));
        }
        return Replies.await(futures, settings.timeout().toNanos(), this::error).stream()
                .flatMap(List::stream)
                .toList();
    }

    /** Returns those entries that are wanted and of the text, the shortest first. */
    private static List<IndexEntry> matching(Wanted wanted, List<byte[]> members) {
        PrefixHashes hashes = new PrefixHashes(wanted.prompt(), wanted.activationSparsity());
        return members.stream()
                .flatMap(member -> IndexEntry.parse(member).stream())
                .filter(entry -> entry.tokens() >= wanted.least() && entry.tokens() <= wanted.most())
                .sorted(Comparator.comparingInt(IndexEntry::tokens))
                .filter(entry -> Arrays.equals(hashes.after(entry.tokens()), entry.hash()))
                .toList();
    }

    private Optional<StoredPrefix> fetch(Wanted wanted, IndexEntry entry, RedisAsyncCommands<byte[], byte[]> commands)
            throws StoreFaultException, InterruptedException {
        if (entry.valueBytes() > settings.maxEntryBytes()) {
            return Optional.empty();
        }
        long nanos = settings.timeout()
                .plus(Duration.ofMillis(entry.valueBytes() / BYTES_PER_MILLISECOND))
                .toNanos();
        // A byte more than expected tells a longer value, and no more than that is ever read.
        List<byte[]> value = Replies.await(
                List.of(commands.getrange(keys.state(entry.hash()), 0, entry.valueBytes())), nanos, this::error);
        if (value.isEmpty() || value.getFirst().length == 0) {
            return Optional.empty();
        }
        try {
            StoredPrefix prefix = codec.decode(value.getFirst());
            int count = prefix.tokens().length;
            boolean same = count == entry.tokens()
                    && prefix.activationSparsity() == wanted.activationSparsity()
                    && Arrays.equals(prefix.tokens(), 0, count, wanted.prompt(), 0, count);
            if (!same) {
                throw new InvalidEntryException("tokens", "those of the key", "others");
            }
            return Optional.of(prefix);
        } catch (InvalidEntryException e) {
            counts.invalid();
            warnings.warn(
                    "A state in Redis is not what was saved, and is not used: {}", String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private void error(Throwable fault) {
        counts.error();
        warnings.warn("Redis failed, going on without: {}", String.valueOf(fault.getMessage()));
    }
}
