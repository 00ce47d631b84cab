package org.setun.engine;

import org.setun.engine.CacheStatus.Kind;

/** Counts what a {@link PrefixCache} does. Written by the engine thread, read by any. */
final class CacheCounts {

    private volatile CacheStatus status = new CacheStatus(0, 0, 0, Kind.NONE, Kind.NONE);

    /** Notes that a sequence came of which {@code cached} tokens were known. */
    void lookedUp(int cached) {
        CacheStatus s = status;
        status = new CacheStatus(
                s.queries() + 1, s.hits() + (cached > 0 ? 1 : 0), s.hitTokens() + cached, s.states(), s.pages());
    }

    /** Notes that a state was given up. */
    void stateEvicted() {
        CacheStatus s = status;
        Kind states = new Kind(
                s.states().evictions() + 1, s.states().entries(), s.states().bytes());
        status = new CacheStatus(s.queries(), s.hits(), s.hitTokens(), states, s.pages());
    }

    /** Notes that a page was given up. */
    void pageEvicted() {
        CacheStatus s = status;
        Kind pages = new Kind(
                s.pages().evictions() + 1, s.pages().entries(), s.pages().bytes());
        status = new CacheStatus(s.queries(), s.hits(), s.hitTokens(), s.states(), pages);
    }

    /** Notes what the cache holds now. */
    void holds(int states, long stateBytes, int pages, long pageBytes) {
        CacheStatus s = status;
        status = new CacheStatus(
                s.queries(),
                s.hits(),
                s.hitTokens(),
                new Kind(s.states().evictions(), states, stateBytes),
                new Kind(s.pages().evictions(), pages, pageBytes));
    }

    CacheStatus status() {
        return status;
    }
}
