package org.setun.metrics;

import java.util.function.Function;
import java.util.function.Supplier;
import org.setun.engine.CacheStatus;
import org.setun.engine.MemoryStatus;
import org.setun.engine.StoreStatus;

/** The meters of the memory that sequences take, and of what is kept of them for others. */
final class MemoryMeters {

    /** The tier of what other processes may go on with. */
    static final String REDIS = "redis";

    private static final String RAM = "ram";

    // The two kinds of memory that a sequence takes.
    private static final String STATE = "state";
    private static final String KEYS_AND_VALUES = "kv";

    private MemoryMeters() {}

    /** Shows how much memory sequences take; {@code status} must be cheap, and outlive the registry's readers. */
    static void registerMemory(Meters meters, Supplier<MemoryStatus> status) {
        if (status.get().maxStateBytes() > 0) {
            meters.gauge(SetunMeter.STATE_USED, () -> status.get().stateBytes(), STATE);
            meters.gauge(SetunMeter.STATE_LIMIT, () -> status.get().maxStateBytes(), STATE);
        }
        if (status.get().maxPageBytes() > 0) {
            meters.gauge(SetunMeter.STATE_USED, () -> status.get().pageBytes(), KEYS_AND_VALUES);
            meters.gauge(SetunMeter.STATE_LIMIT, () -> status.get().maxPageBytes(), KEYS_AND_VALUES);
        }
    }

    /**
     * Shows what the prefix cache does.
     *
     * @param status cheap, and outlives the registry's readers
     * @param memory the kinds of memory that the model's sequences have, of which the cache has the same
     */
    static void registerCache(Meters meters, Supplier<CacheStatus> status, MemoryStatus memory) {
        if (memory.maxStateBytes() > 0) {
            registerCache(meters, status, STATE, CacheStatus::states);
        }
        if (memory.maxPageBytes() > 0) {
            registerCache(meters, status, KEYS_AND_VALUES, CacheStatus::pages);
        }
    }

    // What is looked up is of all the kinds that the model has.
    private static void registerCache(
            Meters meters, Supplier<CacheStatus> status, String kind, Function<CacheStatus, CacheStatus.Kind> ofKind) {
        meters.counter(SetunMeter.CACHE_QUERIES, () -> status.get().queries(), RAM, kind);
        meters.counter(SetunMeter.CACHE_HITS, () -> status.get().hits(), RAM, kind);
        meters.counter(
                SetunMeter.CACHE_EVICTIONS, () -> ofKind.apply(status.get()).evictions(), RAM, kind);
        meters.gauge(SetunMeter.CACHE_ENTRIES, () -> ofKind.apply(status.get()).entries(), RAM, kind);
        meters.gauge(SetunMeter.CACHE_BYTES, () -> ofKind.apply(status.get()).bytes(), RAM, kind);
    }

    /**
     * Shows what Redis does for the prefix cache.
     *
     * @param status cheap, and outlives the registry's readers
     * @param states whether the model has recurrent states
     * @param pages whether it has keys and values
     */
    static void registerStore(Meters meters, Supplier<StoreStatus> status, boolean states, boolean pages) {
        if (states) {
            registerLookUps(meters, status, STATE);
        }
        if (pages) {
            registerLookUps(meters, status, KEYS_AND_VALUES);
        }
        meters.counter(SetunMeter.CACHE_ERRORS, () -> status.get().errors(), REDIS);
        meters.counter(SetunMeter.CACHE_INVALID, () -> status.get().invalid(), REDIS);
        meters.counter(SetunMeter.CACHE_SAVED, () -> status.get().saved(), REDIS);
        meters.counter(SetunMeter.CACHE_DROPPED, () -> status.get().dropped(), REDIS);
        meters.counter(SetunMeter.CACHE_WRITTEN, () -> status.get().writtenBytes(), REDIS);
        meters.timer(SetunMeter.STATE_SAVE, REDIS);
        meters.timer(SetunMeter.STATE_RESTORE, REDIS);
    }

    private static void registerLookUps(Meters meters, Supplier<StoreStatus> status, String kind) {
        meters.counter(SetunMeter.CACHE_QUERIES, () -> status.get().queries(), REDIS, kind);
        meters.counter(SetunMeter.CACHE_HITS, () -> status.get().hits(), REDIS, kind);
    }
}
