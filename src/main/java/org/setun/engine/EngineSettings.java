package org.setun.engine;

import java.time.Duration;

/**
 * The limits of an engine.
 *
 * @param queue how much may wait
 * @param batch what runs at once
 * @param memory what sequences and the prefix cache may take
 * @param drainTimeout how long {@link Engine#close} lets accepted requests finish before it ends them; not negative
 */
public record EngineSettings(QueueLimits queue, BatchLimits batch, MemoryLimits memory, Duration drainTimeout) {

    /** Limits for a small machine: those of the parts, and 30 seconds to drain. */
    public static final EngineSettings DEFAULTS = new EngineSettings(
            QueueLimits.DEFAULTS, BatchLimits.DEFAULTS, MemoryLimits.DEFAULTS, Duration.ofSeconds(30));

    public EngineSettings {
        if (drainTimeout.isNegative()) {
            throw new IllegalArgumentException("drainTimeout: expected 0 or more, found " + drainTimeout);
        }
    }

    /**
     * How much may wait; more is rejected.
     *
     * @param maxRequests how many accepted requests may wait for a place, at least 1
     * @param maxTokens how many tokens their prompts may have together, at least 1; one that waits alone may have more
     */
    public record QueueLimits(int maxRequests, long maxTokens) {

        /** 256 requests, a million tokens. */
        public static final QueueLimits DEFAULTS = new QueueLimits(256, 1_000_000);

        public QueueLimits {
            if (maxRequests < 1) {
                throw new IllegalArgumentException("maxRequests: expected 1 or more, found " + maxRequests);
            }
            if (maxTokens < 1) {
                throw new IllegalArgumentException("maxTokens: expected 1 or more, found " + maxTokens);
            }
        }
    }

    /**
     * What runs at once.
     *
     * @param maxSequences how many sequences, at least 1; each holds one state slot
     * @param maxTokens how many tokens one step runs at most; at least {@code maxSequences}, so that every running sequence
     *     advances in every step
     * @param maxSlowdown how many times as long a step may take for the prompts that it reads beside sequences that generate; more
     *     than 1
     */
    public record BatchLimits(int maxSequences, int maxTokens, double maxSlowdown) {

        /** 32 sequences, 128 tokens, 2.5 times as long. */
        public static final BatchLimits DEFAULTS = new BatchLimits(32, 128, 2.5);

        public BatchLimits {
            if (maxSequences < 1) {
                throw new IllegalArgumentException("maxSequences: expected 1 or more, found " + maxSequences);
            }
            if (maxTokens < maxSequences) {
                throw new IllegalArgumentException("maxTokens: expected at least maxSequences (" + maxSequences
                        + "), so that every sequence advances in every step, found " + maxTokens);
            }
            if (!(maxSlowdown > 1)) {
                throw new IllegalArgumentException("maxSlowdown: expected more than 1, found " + maxSlowdown);
            }
        }
    }

    /**
     * What sequences and the prefix cache may take.
     *
     * @param pages bytes of keys and values of running sequences, which the cache keeps as long as nobody needs them; not
     *     negative, and of no matter to a model without attention
     * @param snapshots bytes that the cache takes beside pages, for recurrent states, for tokens and for its bookkeeping; 0 for no
     *     cache at all
     */
    public record MemoryLimits(long pages, long snapshots) {

        /** 2 GiB of pages, 256 MiB of snapshots. */
        public static final MemoryLimits DEFAULTS = new MemoryLimits(2L << 30, 256L << 20);

        public MemoryLimits {
            if (pages < 0) {
                throw new IllegalArgumentException("pages: expected 0 or more, found " + pages);
            }
            if (snapshots < 0) {
                throw new IllegalArgumentException("snapshots: expected 0 or more, found " + snapshots);
            }
        }
    }
}
