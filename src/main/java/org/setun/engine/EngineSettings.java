package org.setun.engine;

import java.time.Duration;

/**
 * The limits of an engine.
 *
 * @param maxQueuedRequests how many accepted requests may wait for a place at most, at least 1; more are rejected
 * @param maxSequences how many sequences run at once at most, at least 1; each holds one state slot
 * @param maxBatchTokens how many tokens one step runs at most; at least {@code maxSequences}, so that every running
 *     sequence advances in every step
 * @param pageMemory how many bytes the running sequences' keys and values may take together; not negative, and of no matter
 *     to a model without attention
 * @param drainTimeout how long {@link Engine#close} lets accepted requests finish before it ends them; not negative
 */
public record EngineSettings(
        int maxQueuedRequests, int maxSequences, int maxBatchTokens, long pageMemory, Duration drainTimeout) {

    /** What keys and values get unless told otherwise: 2 GiB. */
    public static final long DEFAULT_PAGE_MEMORY = 2L << 30;

    /** Limits for a small machine: 256 waiting, 32 running, 128 tokens a step, 2 GiB of pages, 30 seconds to drain. */
    public static final EngineSettings DEFAULTS =
            new EngineSettings(256, 32, 128, DEFAULT_PAGE_MEMORY, Duration.ofSeconds(30));

    public EngineSettings {
        if (maxQueuedRequests < 1) {
            throw new IllegalArgumentException("maxQueuedRequests: expected 1 or more, found " + maxQueuedRequests);
        }
        if (maxSequences < 1) {
            throw new IllegalArgumentException("maxSequences: expected 1 or more, found " + maxSequences);
        }
        if (maxBatchTokens < maxSequences) {
            throw new IllegalArgumentException("maxBatchTokens: expected at least maxSequences (" + maxSequences
                    + "), so that every sequence advances in every step, found " + maxBatchTokens);
        }
        if (pageMemory < 0) {
            throw new IllegalArgumentException("pageMemory: expected 0 or more, found " + pageMemory);
        }
        if (drainTimeout.isNegative()) {
            throw new IllegalArgumentException("drainTimeout: expected 0 or more, found " + drainTimeout);
        }
    }
}
