package org.setun.engine;

/**
 * What the prefix cache has done and holds.
 *
 * @param queries sequences that were looked up when they started
 * @param hits those of which a beginning was known
 * @param hitTokens tokens that were not read again
 * @param states the snapshots of recurrent states
 * @param pages the pages of keys and values
 */
public record CacheStatus(long queries, long hits, long hitTokens, Kind states, Kind pages) {

    /**
     * One kind of entries.
     *
     * @param evictions those given up for others
     * @param entries those held
     * @param bytes what these take, with their tokens and the bookkeeping; pages that running sequences share count here, too
     */
    public record Kind(long evictions, int entries, long bytes) {

        static final Kind NONE = new Kind(0, 0, 0);
    }

    /** Returns how many entries of both kinds were given up. */
    public long evictions() {
        return states.evictions() + pages.evictions();
    }

    /** Returns how many entries of both kinds there are. */
    public int entries() {
        return states.entries() + pages.entries();
    }

    /** Returns what both take. */
    public long bytes() {
        return states.bytes() + pages.bytes();
    }
}
