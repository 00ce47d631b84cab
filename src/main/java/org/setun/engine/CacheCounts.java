package org.setun.engine;

/** Counts what a {@link PrefixCache} does. Written by the engine thread, read by any. */
final class CacheCounts {

    private volatile CacheStatus status = new CacheStatus(0, 0, 0, 0, 0, 0);

    /** Notes that a sequence of {@code tokens} tokens came, of which {@code cached} were known. */
    void lookedUp(int tokens, int cached) {
        CacheStatus s = status;
        status = new CacheStatus(
                s.queries() + 1,
                s.hits() + (cached > 0 ? 1 : 0),
                s.hitTokens() + cached,
                s.evictions(),
                s.entries(),
                s.bytes());
    }

    /** Notes that an entry was given up. */
    void evicted() {
        CacheStatus s = status;
        status = new CacheStatus(s.queries(), s.hits(), s.hitTokens(), s.evictions() + 1, s.entries(), s.bytes());
    }

    /** Notes what the cache holds now. */
    void holds(int entries, long bytes) {
        CacheStatus s = status;
        status = new CacheStatus(s.queries(), s.hits(), s.hitTokens(), s.evictions(), entries, bytes);
    }

    CacheStatus status() {
        return status;
    }
}
