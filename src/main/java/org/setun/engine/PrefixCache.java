package org.setun.engine;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.model.StateLayout;

/**
 * Remembers what the model has read, so that a sequence which begins alike need not read it again: of recurrent layers a snapshot
 * of their state after so many tokens, of attention layers the full pages of keys and values, which the sequences share. A model
 * with both kinds of layers needs both. What is found is compared token by token, so that a hit is what would have been computed,
 * to the bit.
 *
 * <p>The snapshots, the tokens that are compared and the bookkeeping have a budget, and what was used longest ago goes first. The
 * pages themselves are the pool's: those that only the cache holds are given up, likewise, when a running sequence needs one. For
 * the engine thread, which also closes it.
 */
final class PrefixCache implements AutoCloseable {

    /** What is known of a sequence's beginning. */
    record Hit(int tokens, List<Page> pages, @Nullable Snapshot snapshot) {

        static final Hit NONE = new Hit(0, List.of(), null);
    }

    /**
     * What an entry takes beside its state or page and its tokens: about 250 bytes on the heap for its node and key in the map, the
     * same for other threads, the entry and the object for its memory, with 8 bytes an object reference; and about 100 off the heap
     * for the alignment and the allocator.
     */
    static final long ENTRY_BYTES = 384;

    private final StateLayout layout;
    private final StatePool pool;
    private final long memory;
    private final boolean enabled;
    private final TokenArrays arrays = new TokenArrays();
    private final KnownStates states;
    private final KnownPages pages;
    private final Forks forks;
    private final SeenPrefixes seen = new SeenPrefixes();
    private final CacheCounts counts = new CacheCounts();

    /**
     * Creates an empty cache.
     *
     * @param forks what else holds pages, and gives them up when the cache has none left to give
     * @param memory how many bytes it may take beside pages; 0 for no cache at all, of pages neither
     */
    PrefixCache(StateLayout layout, StatePool pool, Forks forks, long memory) {
        this.layout = layout;
        this.forks = forks;
        this.pool = pool;
        this.memory = memory;
        this.states = new KnownStates(pool, arrays);
        this.pages = new KnownPages(layout, pool, arrays);
        this.enabled = memory > 0 && (layout.recurrentBytes() == 0 || memory >= layout.recurrentBytes() + ENTRY_BYTES);
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
        List<Page> known = pages.find(sequence.prefix(), fullPages(limit));
        return new Hit(known.size() * layout.pageTokens(), known, null);
    }

    private Hit findSnapshot(Sequence sequence, int limit) {
        Prefix prefix = sequence.prefix();
        for (int count = limit; count > 0; count--) {
            Snapshot snapshot = states.find(prefix, count);
            if (snapshot != null) {
                List<Page> known = pages.find(prefix, fullPages(count));
                if (known.size() == fullPages(count)) {
                    return new Hit(count, known, snapshot);
                }
            }
        }
        return Hit.NONE;
    }

    /** Returns how many pages {@code count} tokens fill. */
    private int fullPages(int count) {
        return layout.pageBytes() == 0 ? 0 : count / layout.pageTokens();
    }

    /** Returns how many of a sequence's first tokens, at most {@code limit}, seem to be known. Any thread. */
    int seemsKnown(Sequence sequence, int limit) {
        boolean byPage = layout.recurrentBytes() == 0;
        int step = byPage ? layout.pageTokens() : 1;
        for (int count = limit / step * step; count > 0; count -= step) {
            long hash = sequence.prefix().hash(count);
            if (byPage ? pages.seems(hash) : states.seems(hash)) {
                return count;
            }
        }
        return 0;
    }

    /**
     * Fills the memory of a sequence that starts with what was found.
     *
     * @return false if there was no page for it; the memory is of no use then
     */
    boolean restore(Hit hit, SequenceMemory memory) {
        Snapshot snapshot = hit.snapshot();
        hit.pages().forEach(memory::share);
        if (snapshot != null) {
            // First, as making room may give up the snapshot itself.
            memory.slot().copyFrom(snapshot.state());
            snapshot.use();
        }
        if (snapshot != null && snapshot.begun() != null) {
            Page begun = snapshot.begun();
            begun.hold();
            try {
                if (!makeRoom(memory, hit.tokens())) {
                    return false;
                }
                memory.pages().getLast().memory().copyFrom(begun.memory());
            } finally {
                pool.release(begun);
            }
        }
        return true;
    }

    /**
     * Notes that a sequence begins with what was found.
     *
     * @return where it had better stop for a moment, as others have begun with so many of its tokens, too, and the state there is not
     *     known; 0 for nowhere
     */
    int started(Sequence sequence, Hit hit) {
        counts.lookedUp(hit.tokens());
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

    /**
     * Remembers the state of a sequence after the {@code count} tokens that the model has just seen of it.
     *
     * @return whether it was not known, and is now
     */
    boolean keep(Sequence sequence, int count, SequenceMemory memory) {
        if (!enabled) {
            return false;
        }
        Prefix prefix = sequence.prefix();
        boolean news = pages.keep(prefix, fullPages(count), memory.pages());
        if (layout.recurrentBytes() > 0) {
            news = !states.has(prefix, count) && keepState(prefix, count, memory);
        }
        shrink();
        publish();
        return news;
    }

    private boolean keepState(Prefix prefix, int count, SequenceMemory memory) {
        Page begun = null;
        if (layout.pages(count) > fullPages(count)) {
            begun = pool.takePage();
            while (begun == null) {
                if (!evictPage()) {
                    return false;
                }
                begun = pool.takePage();
            }
            begun.memory().copyFrom(memory.pages().get(fullPages(count)).memory());
        }
        return keepState(prefix, count, memory.slot(), begun);
    }

    /** Keeps a copy of a state with the page that its last tokens begin, which is given up if there is no room for the copy. */
    private boolean keepState(Prefix prefix, int count, MemorySegment slot, @Nullable Page begun) {
        boolean kept = makeBytes(layout.recurrentBytes() + ENTRY_BYTES, prefix.array())
                && states.keep(prefix, count, slot, begun);
        if (!kept && begun != null) {
            pool.release(begun);
        }
        return kept;
    }

    /** Remembers less of what a sequence has left on its way, now that it has come so far. */
    void thin(Sequence sequence, List<Integer> surplus) {
        surplus.forEach(count -> states.giveUp(sequence.prefix(), count));
        publish();
    }

    /** Keeps one array of tokens for all states that are remembered of a sequence which is about to end, that of its whole text. */
    void ending(Sequence sequence) {
        Prefix prefix = sequence.prefix();
        prefix.complete();
        int[] prompt = sequence.request().prompt();
        sequence.keptPlaces().all().forEach(count -> states.share(prefix, count, prompt));
        for (int count : new int[] {sequence.pausesAt(), prompt.length - 1, prompt.length}) {
            states.share(prefix, count, prompt);
        }
        publish();
    }

    /**
     * Remembers a state that comes from elsewhere, as far as there is memory, as if it had been computed here.
     *
     * @param stored whole, as the layout has it: without recurrent layers, tokens of full pages only
     */
    void adopt(StoredPrefix stored) {
        Prefix prefix = new Prefix(stored.tokens(), stored.activationSparsity());
        int count = prefix.length();
        // All are held until the end, so that none of them makes room for another.
        List<Page> held = new ArrayList<>();
        try {
            boolean whole = holdPages(prefix, stored, held);
            pages.keep(prefix, Math.min(fullPages(count), held.size()), held);
            if (whole && layout.recurrentBytes() > 0 && !states.has(prefix, count)) {
                Page begun = held.size() > fullPages(count) ? held.removeLast() : null;
                MemorySegment state = MemorySegment.ofArray(stored.state());
                keepState(prefix, count, state.asSlice(0, layout.recurrentBytes()), begun);
            }
        } finally {
            held.forEach(pool::release);
            shrink();
            publish();
        }
    }

    /** Adds all pages of a state to {@code held}, known ones or copies; false if there is no memory for all. */
    private boolean holdPages(Prefix prefix, StoredPrefix stored, List<Page> held) {
        for (Page known : pages.find(prefix, fullPages(prefix.length()))) {
            known.hold();
            held.add(known);
        }
        while (held.size() < layout.pages(prefix.length())) {
            Page page = pool.takePage();
            if (page != null) {
                long at = layout.recurrentBytes() + held.size() * layout.pageBytes();
                MemorySegment.copy(MemorySegment.ofArray(stored.state()), at, page.memory(), 0, layout.pageBytes());
                held.add(page);
            } else if (!evictPage()) {
                return false;
            }
        }
        return true;
    }

    /** Gives up what was used longest ago until there is room for an entry of so many bytes with these tokens; false if there never is. */
    private boolean makeBytes(long entry, int[] tokens) {
        while (heldBytes() + entry + arrays.added(tokens) > memory) {
            if (!giveUpEldest()) {
                return false;
            }
        }
        return true;
    }

    /** Gives up what was used longest ago until no more is held than may be. */
    private void shrink() {
        while (heldBytes() > memory && giveUpEldest()) {}
    }

    private boolean giveUpEldest() {
        if (states.evict(false)) {
            counts.stateEvicted();
            return true;
        }
        if (pages.forget()) {
            counts.pageEvicted();
            return true;
        }
        return false;
    }

    /** Returns what the cache holds beside pages. */
    private long heldBytes() {
        return states.size() * (layout.recurrentBytes() + ENTRY_BYTES) + pages.size() * ENTRY_BYTES + arrays.bytes();
    }

    /** Gives up the page used longest ago that no sequence shares; false if there is none. */
    private boolean evictPage() {
        if (pages.evict()) {
            counts.pageEvicted();
        } else if (states.evict(true)) {
            counts.stateEvicted();
        } else {
            return forks.evict();
        }
        publish();
        return true;
    }

    /** Returns how many pages could be given up, beside those of {@code hit}. */
    long evictablePages(Hit hit) {
        long evictable = pages.evictable() + states.begunPages();
        for (Page page : hit.pages()) {
            evictable -= page.isShared() ? 0 : 1;
        }
        evictable -= hit.snapshot() == null || hit.snapshot().begun() == null ? 0 : 1;
        return evictable;
    }

    /** Returns what the cache does; any thread may read it. */
    CacheCounts counts() {
        return counts;
    }

    private void publish() {
        // The tokens belong to states where there are any: those of pages are mostly the same arrays.
        long pageBytes = pages.size() * ENTRY_BYTES + (pages.size() + states.begunPages()) * layout.pageBytes();
        boolean recurrent = layout.recurrentBytes() > 0;
        counts.holds(
                states.size(),
                states.size() * (layout.recurrentBytes() + ENTRY_BYTES) + (recurrent ? arrays.bytes() : 0),
                pages.size(),
                pageBytes + (recurrent ? 0 : arrays.bytes()));
    }

    /** Frees all states. */
    @Override
    public void close() {
        states.close();
    }
}
