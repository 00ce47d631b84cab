package org.setun.engine;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.setun.model.StateLayout;

/**
 * Remembers what the model has read, so that a sequence which begins alike need not read it again: of recurrent layers a snapshot
 * of their state after so many tokens, of attention layers the full pages of keys and values, which the sequences share. A model
 * with both kinds of layers needs both. What is found is compared token by token, so that a hit is what would have been computed,
 * to the bit.
 *
 * <p>Snapshots have a budget of their own, and the one used longest ago goes first. Pages are the pool's: those that only the cache
 * holds are given up, likewise, when a running sequence needs one. For the engine thread.
 */
final class PrefixCache {

    /** What is known of a sequence's beginning. */
    record Hit(int tokens, List<Page> pages, @Nullable Snapshot snapshot) {

        static final Hit NONE = new Hit(0, List.of(), null);
    }

    /**
     * The state of the recurrent layers after {@code count} tokens, and the page that these tokens have begun and not filled.
     */
    record Snapshot(
            int[] tokens,
            int count,
            double activationSparsity,
            MemorySegment state,
            @Nullable Page begun) {}

    /** The page that the last of {@code count} tokens fill. */
    private record Filled(int[] tokens, int count, double activationSparsity, Page page) {}

    private final StateLayout layout;
    private final StatePool pool;
    private final boolean enabled;
    private final long maxSnapshots;
    private final Map<Long, Snapshot> snapshots = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<Long, Filled> pages = new LinkedHashMap<>(16, 0.75f, true);
    private final ArrayDeque<MemorySegment> freeStates = new ArrayDeque<>();
    private final SeenPrefixes seen = new SeenPrefixes();
    private final CacheCounts counts = new CacheCounts();

    /**
     * Creates an empty cache.
     *
     * @param memory how many bytes all snapshots may take; 0 for no cache at all, of pages neither
     */
    PrefixCache(StateLayout layout, StatePool pool, long memory) {
        this.layout = layout;
        this.pool = pool;
        this.maxSnapshots = layout.recurrentBytes() == 0 ? 0 : memory / layout.recurrentBytes();
        this.enabled = memory > 0 && (layout.recurrentBytes() == 0 || maxSnapshots > 0);
    }

    /** Returns whether anything is ever remembered. */
    boolean isEnabled() {
        return enabled;
    }

    /** Returns the longest beginning of a sequence that is known, at most {@code limit} tokens of it. */
    Hit find(Sequence sequence, int limit) {
        if (!enabled) {
            return Hit.NONE;
        }
        return layout.recurrentBytes() == 0 ? findPages(sequence, limit) : findSnapshot(sequence, limit);
    }

    private Hit findPages(Sequence sequence, int limit) {
        List<Page> known = knownPages(sequence, limit / layout.pageTokens());
        return new Hit(known.size() * layout.pageTokens(), known, null);
    }

    private Hit findSnapshot(Sequence sequence, int limit) {
        Prefix prefix = sequence.prefix();
        for (int count = limit; count > 0; count--) {
            long hash = prefix.hash(count);
            Snapshot snapshot = snapshots.containsKey(hash) ? snapshots.get(hash) : null;
            if (snapshot != null
                    && snapshot.count() == count
                    && snapshot.activationSparsity() == sequence.activationSparsity()
                    && prefix.matches(snapshot.tokens(), 0, count)) {
                int full = layout.pageBytes() == 0 ? 0 : count / layout.pageTokens();
                List<Page> known = knownPages(sequence, full);
                if (known.size() == full) {
                    return new Hit(count, known, snapshot);
                }
            }
        }
        return Hit.NONE;
    }

    /** Returns the known ones of a sequence's first {@code count} pages, up to the first that is not. */
    private List<Page> knownPages(Sequence sequence, int count) {
        List<Page> known = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Filled filled = filled(sequence, i);
            if (filled == null) {
                break;
            }
            known.add(filled.page());
        }
        // The first page is used last: without it the others are worth nothing.
        for (int i = known.size() - 1; i >= 0; i--) {
            pages.get(sequence.prefix().hash((i + 1) * layout.pageTokens()));
        }
        return known;
    }

    private @Nullable Filled filled(Sequence sequence, int index) {
        int end = (index + 1) * layout.pageTokens();
        Filled filled = pages.get(sequence.prefix().hash(end));
        boolean same = filled != null
                && filled.count() == end
                && filled.activationSparsity() == sequence.activationSparsity()
                && sequence.prefix().matches(filled.tokens(), 0, end);
        return same ? filled : null;
    }

    /**
     * Fills the memory of a sequence that starts with what was found, and counts it.
     *
     * @return how many tokens the memory now holds the state of: those of the hit, or none if there was no page for them
     */
    int restore(Hit hit, SequenceMemory memory) {
        Snapshot snapshot = hit.snapshot();
        hit.pages().forEach(memory::share);
        if (snapshot != null && snapshot.begun() != null) {
            // Held, as making room may give up the snapshot itself.
            Page begun = snapshot.begun();
            begun.hold();
            try {
                if (!makeRoom(memory, hit.tokens())) {
                    throw new IllegalStateException("no page for a hit that there was room for");
                }
                memory.pages().getLast().memory().copyFrom(begun.memory());
            } finally {
                pool.release(begun);
            }
        }
        if (snapshot != null) {
            memory.slot().copyFrom(snapshot.state());
        }
        return hit.tokens();
    }

    /**
     * Notes that a sequence begins with what was found.
     *
     * @return where it had better stop for a moment, as others have begun with so many of its tokens, too, and the state there is not
     *     known; 0 for nowhere
     */
    int started(Sequence sequence, Hit hit) {
        counts.lookedUp(sequence.totalTokens(), hit.tokens());
        if (!enabled || layout.recurrentBytes() == 0) {
            return 0;
        }
        int shared = seen.add(sequence.prefix(), sequence.promptTokens() - 1);
        return shared > hit.tokens() ? shared : 0;
    }

    /** Lets a sequence's memory grow to {@code tokens} tokens, and gives up pages that nobody reads for it. */
    boolean makeRoom(SequenceMemory memory, int tokens) {
        while (!memory.grow(tokens)) {
            if (!evictPage()) {
                return false;
            }
        }
        return true;
    }

    /** Remembers the state of a sequence after the {@code count} tokens that the model has just seen of it. */
    void keep(Sequence sequence, int count, SequenceMemory memory) {
        if (!enabled) {
            return;
        }
        if (layout.pageBytes() > 0) {
            keepPages(sequence, count / layout.pageTokens(), memory);
        }
        if (layout.recurrentBytes() > 0
                && !snapshots.containsKey(sequence.prefix().hash(count))) {
            keepSnapshot(sequence, count, memory);
        }
        publish();
    }

    private void keepPages(Sequence sequence, int count, SequenceMemory memory) {
        for (int i = count - 1; i >= 0; i--) {
            int end = (i + 1) * layout.pageTokens();
            long hash = sequence.prefix().hash(end);
            if (pages.get(hash) == null) {
                Page page = memory.pages().get(i);
                page.hold();
                pages.put(hash, new Filled(sequence.prefix().array(), end, sequence.activationSparsity(), page));
            }
        }
    }

    private void keepSnapshot(Sequence sequence, int count, SequenceMemory memory) {
        Page begun = null;
        if (layout.pageBytes() > 0 && count % layout.pageTokens() > 0) {
            begun = pool.takePage();
            if (begun == null) {
                return;
            }
            begun.memory()
                    .copyFrom(memory.pages().get(count / layout.pageTokens()).memory());
        }
        MemorySegment state = freeState();
        if (state == null) {
            if (begun != null) {
                pool.release(begun);
            }
            return;
        }
        state.copyFrom(memory.slot());
        snapshots.put(
                sequence.prefix().hash(count),
                new Snapshot(sequence.prefix().array(), count, sequence.activationSparsity(), state, begun));
    }

    private @Nullable MemorySegment freeState() {
        if (snapshots.size() >= maxSnapshots) {
            evictSnapshot();
        }
        return freeStates.isEmpty() ? pool.allocate(layout.recurrentBytes()) : freeStates.pop();
    }

    private void evictSnapshot() {
        Iterator<Snapshot> eldest = snapshots.values().iterator();
        Snapshot snapshot = eldest.next();
        eldest.remove();
        freeStates.push(snapshot.state());
        if (snapshot.begun() != null) {
            pool.release(snapshot.begun());
        }
        counts.evicted();
    }

    /** Gives up the page used longest ago that no sequence shares; false if there is none. */
    private boolean evictPage() {
        for (Iterator<Filled> eldest = pages.values().iterator(); eldest.hasNext(); ) {
            Page page = eldest.next().page();
            if (!page.isShared()) {
                eldest.remove();
                pool.release(page);
                counts.evicted();
                publish();
                return true;
            }
        }
        for (Snapshot snapshot : snapshots.values()) {
            if (snapshot.begun() != null) {
                evictSnapshot();
                publish();
                return true;
            }
        }
        return false;
    }

    /** Returns how many pages could be given up, beside those of {@code hit}. */
    long evictablePages(Hit hit) {
        long evictable = 0;
        for (Filled filled : pages.values()) {
            evictable += filled.page().isShared() ? 0 : 1;
        }
        for (Page page : hit.pages()) {
            evictable -= page.isShared() ? 0 : 1;
        }
        for (Snapshot snapshot : snapshots.values()) {
            evictable += snapshot.begun() == null ? 0 : 1;
        }
        evictable -= hit.snapshot() == null || hit.snapshot().begun() == null ? 0 : 1;
        return evictable;
    }

    /** Returns what the cache does; any thread may read it. */
    CacheCounts counts() {
        return counts;
    }

    private void publish() {
        counts.holds(
                snapshots.size() + pages.size(),
                snapshots.size() * layout.recurrentBytes() + pages.size() * layout.pageBytes());
    }
}
