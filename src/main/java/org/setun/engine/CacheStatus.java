package org.setun.engine;

/**
 * What the prefix cache has done and holds.
 *
 * @param queries sequences that were looked up when they started
 * @param hits those of which a beginning was known
 * @param hitTokens tokens that were not read again
 * @param evictions entries given up for others
 * @param entries snapshots and pages held
 * @param bytes what these take, with their tokens and the bookkeeping; pages that running sequences share count here, too
 */
public record CacheStatus(long queries, long hits, long hitTokens, long evictions, int entries, long bytes) {}
