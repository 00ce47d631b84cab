package org.setun.engine;

import java.time.Duration;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;

/** Limits of engines under test. */
final class Settings {

    private Settings() {}

    /** Returns the settings of an engine without a prefix cache that does not care how long a step takes. */
    static EngineSettings of(
            int maxQueuedRequests, int maxSequences, int maxBatchTokens, long pages, Duration drainTimeout) {
        return new EngineSettings(
                new QueueLimits(maxQueuedRequests, Long.MAX_VALUE),
                new BatchLimits(maxSequences, maxBatchTokens, Double.POSITIVE_INFINITY),
                new MemoryLimits(pages, 0),
                drainTimeout);
    }

    /** Returns the settings of such an engine with a prefix cache. */
    static EngineSettings cached(int maxSequences, int maxBatchTokens, long pages, long snapshots) {
        return new EngineSettings(
                new QueueLimits(4096, Long.MAX_VALUE),
                new BatchLimits(maxSequences, maxBatchTokens, Double.POSITIVE_INFINITY),
                new MemoryLimits(pages, snapshots),
                Duration.ofSeconds(20));
    }
}
