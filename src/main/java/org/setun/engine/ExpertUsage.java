package org.setun.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.setun.model.Retrieval;

/**
 * How one layer's experts have been used since the engine's start. The engine thread counts, in a few array cells for each lookup; what
 * takes a walk over all experts is done by the thread that asks, and kept for some seconds. Thread-safe.
 */
public final class ExpertUsage {

    private static final long KEPT_NANOS = Duration.ofSeconds(5).toNanos();

    private final int layer;
    private final int topK;
    private final LongSupplier nanoClock;
    private final long startNanos;
    /**
     * Two numbers for each expert, side by side since both are written at once: its lookups, and the second in which it was used last,
     * counted from 1; 0 for never.
     */
    private final AtomicIntegerArray uses;

    private final AtomicLongArray hits;
    private final AtomicLong lookups = new AtomicLong();
    private final AtomicLong activated = new AtomicLong();
    private volatile @Nullable UsageSpread spread;
    private final Map<Duration, Distinct> distinct = new ConcurrentHashMap<>();

    /** How many experts had been used in a window that ended at {@code nanos}. */
    private record Distinct(long nanos, int count) {}

    /**
     * How often one expert was retrieved.
     *
     * @param expert its number
     * @param lookups how often; it stops at 2^32 - 1
     */
    public record Use(int expert, long lookups) {}

    ExpertUsage(Retrieval retrieval, LongSupplier nanoClock) {
        this(retrieval.layer(), retrieval.numExperts(), retrieval.topK(), nanoClock);
    }

    ExpertUsage(int layer, int count, int topK, LongSupplier nanoClock) {
        this.layer = layer;
        this.topK = topK;
        this.nanoClock = nanoClock;
        this.startNanos = nanoClock.getAsLong();
        this.uses = new AtomicIntegerArray(Math.multiplyExact(2, count));
        this.hits = new AtomicLongArray(topK);
    }

    /** Adds what a step retrieved. Engine thread. */
    void add(Retrieval retrieval) {
        int second = second();
        for (int token = 0; token < retrieval.tokens(); token++) {
            for (int head = 0; head < retrieval.numHeads(); head++) {
                for (int rank = 0; rank < topK; rank++) {
                    add(retrieval.expert(token, head, rank), second);
                }
            }
        }
        long more = (long) retrieval.tokens() * retrieval.numHeads() * topK;
        lookups.setOpaque(lookups.getPlain() + more);
        activated.setOpaque(activated.getPlain() + retrieval.activatedExperts());
        for (int rank = 0; rank < topK; rank++) {
            hits.setOpaque(rank, hits.getPlain(rank) + retrieval.hits(rank));
        }
    }

    /** Adds a lookup of one expert. */
    void add(int expert, int second) {
        int before = uses.getPlain(2 * expert);
        // Unsigned; the last value stays.
        if (before != -1) {
            uses.setOpaque(2 * expert, before + 1);
        }
        uses.setOpaque(2 * expert + 1, second);
    }

    /** Returns the number of the second that runs, from 1. */
    int second() {
        return (int) Duration.ofNanos(nanoClock.getAsLong() - startNanos).toSeconds() + 1;
    }

    /** Returns the number of the layer, the first being 0. */
    public int layer() {
        return layer;
    }

    /** Returns how many experts there are. */
    public int count() {
        return uses.length() / 2;
    }

    /** Returns how many experts each head retrieves for a token. */
    public int topK() {
        return topK;
    }

    /** Returns how many experts were retrieved: one for each token, head and rank. */
    public long lookups() {
        return lookups.getOpaque();
    }

    /** Returns how many different experts each token activated, whether one or several of its heads did, summed over the tokens. */
    public long activated() {
        return activated.getOpaque();
    }

    /**
     * Returns for how many retrievals of a head the expert of this rank mattered most, see {@link Retrieval#hits}.
     *
     * @param rank from 0, the best score, to {@link #topK} - 1
     */
    public long hits(int rank) {
        return hits.getOpaque(rank);
    }

    private long lookups(int expert) {
        return Integer.toUnsignedLong(uses.getOpaque(2 * expert));
    }

    /** Returns how many different experts were used in the last {@code window}, to the second; at most five seconds old. */
    public int distinct(Duration window) {
        long now = nanoClock.getAsLong();
        Distinct kept = distinct.get(window);
        if (kept == null || now - kept.nanos() >= KEPT_NANOS) {
            kept = new Distinct(now, countDistinct(window));
            distinct.put(window, kept);
        }
        return kept.count();
    }

    private int countDistinct(Duration window) {
        long first = Math.max(1, second() - window.toSeconds() + 1);
        int count = 0;
        for (int expert = 0; expert < count(); expert++) {
            count += uses.getOpaque(2 * expert + 1) >= first ? 1 : 0;
        }
        return count;
    }

    /** Returns how evenly the lookups are spread over the experts; at most five seconds old. */
    public UsageSpread spread() {
        long now = nanoClock.getAsLong();
        UsageSpread kept = spread;
        if (kept == null || now - kept.nanos() >= KEPT_NANOS) {
            kept = UsageSpread.of(count(), this::lookups, now);
            spread = kept;
        }
        return kept;
    }

    /** Returns the experts that were retrieved most, those with more lookups first and of equal ones the lower number; none never used. */
    public List<Use> top(int most) {
        if (most == 0) {
            return List.of();
        }
        // The first to go is the least used, and of equal ones the highest number.
        Comparator<Use> leastFirst = Comparator.comparingLong(Use::lookups)
                .thenComparing(Comparator.comparingInt(Use::expert).reversed());
        PriorityQueue<Use> best = new PriorityQueue<>(leastFirst);
        long least = 1;
        for (int expert = 0; expert < count(); expert++) {
            long count = lookups(expert);
            if (count >= least) {
                best.add(new Use(expert, count));
                if (best.size() > most) {
                    best.remove();
                    least = best.element().lookups() + 1;
                }
            }
        }
        List<Use> top = new ArrayList<>(best);
        top.sort(leastFirst.reversed());
        return top;
    }
}
