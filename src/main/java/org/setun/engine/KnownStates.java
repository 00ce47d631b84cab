package org.setun.engine;

import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The snapshots of recurrent states that a {@link PrefixCache} holds, in the order of their last use, each in memory of its own off
 * the heap. For the engine thread, which also closes it, but for {@link #seems}.
 */
final class KnownStates implements AutoCloseable {

    private final StatePool pool;
    private final TokenArrays arrays;
    private final Map<Long, Snapshot> snapshots = new LinkedHashMap<>(16, 0.75f, true);
    // The same keys, for other threads.
    private final Set<Long> hashes = ConcurrentHashMap.newKeySet();
    private int begunPages;

    KnownStates(StatePool pool, TokenArrays arrays) {
        this.pool = pool;
        this.arrays = arrays;
    }

    /** Returns the state after the first {@code count} tokens of a text, used last from now on; null if it is not known. */
    @Nullable
    Snapshot find(Prefix prefix, int count) {
        long hash = prefix.hash(count);
        Snapshot snapshot = snapshots.get(hash);
        return snapshot != null && snapshot.isOf(prefix, count) ? snapshot : null;
    }

    /** Returns whether there is a state in the place of one after the first {@code count} tokens of a text. */
    boolean has(Prefix prefix, int count) {
        return snapshots.containsKey(prefix.hash(count));
    }

    /**
     * Keeps a copy of the state after the first {@code count} tokens of a text, of which there is none.
     *
     * @param begun the page that the last tokens begin, held for this; taken only if the copy is
     * @return false if the machine has no memory for the copy
     */
    boolean keep(Prefix prefix, int count, MemorySegment slot, @Nullable Page begun) {
        try {
            snapshots.put(prefix.hash(count), new Snapshot(prefix, count, slot, begun));
        } catch (OutOfMemoryError e) {
            return false;
        }
        arrays.hold(prefix.array());
        begunPages += begun == null ? 0 : 1;
        hashes.add(prefix.hash(count));
        return true;
    }

    /** Lets a state that compares with {@code old} compare with the array of {@code prefix}, which begins with the same tokens. */
    // The same array, and not only one with the same tokens.
    @SuppressWarnings("ReferenceEquality")
    void share(Prefix prefix, int count, int[] old) {
        Snapshot snapshot = snapshots.containsKey(prefix.hash(count)) ? snapshots.get(prefix.hash(count)) : null;
        if (snapshot != null && snapshot.tokens() == old) {
            arrays.hold(prefix.array());
            snapshot.tokens(prefix.array());
            arrays.drop(old);
        }
    }

    /** Gives up the state after the first {@code count} tokens of a text, unless a sequence has gone on from there. */
    void giveUp(Prefix prefix, int count) {
        Snapshot snapshot = snapshots.containsKey(prefix.hash(count)) ? snapshots.get(prefix.hash(count)) : null;
        if (snapshot != null && !snapshot.isUsed() && snapshot.isOf(prefix, count)) {
            snapshots.remove(prefix.hash(count));
            forget(prefix.hash(count), snapshot);
        }
    }

    /** Gives up the state used longest ago, of those that hold a page if that is what is needed; false if there is none. */
    boolean evict(boolean withPage) {
        for (Iterator<Map.Entry<Long, Snapshot>> eldest = snapshots.entrySet().iterator(); eldest.hasNext(); ) {
            Map.Entry<Long, Snapshot> entry = eldest.next();
            long hash = entry.getKey();
            Snapshot snapshot = entry.getValue();
            if (snapshot.begun() != null || !withPage) {
                eldest.remove();
                forget(hash, snapshot);
                return true;
            }
        }
        return false;
    }

    private void forget(long hash, Snapshot snapshot) {
        hashes.remove(hash);
        arrays.drop(snapshot.tokens());
        snapshot.close();
        if (snapshot.begun() != null) {
            pool.release(snapshot.begun());
            begunPages--;
        }
    }

    int size() {
        return snapshots.size();
    }

    /** Returns how many pages that are not full the states hold. */
    int begunPages() {
        return begunPages;
    }

    /** Returns whether a state seems to be known after tokens of this number. Any thread. */
    boolean seems(long hash) {
        return hashes.contains(hash);
    }

    /** Frees all states. */
    @Override
    public void close() {
        snapshots.values().forEach(Snapshot::close);
        snapshots.clear();
    }
}
