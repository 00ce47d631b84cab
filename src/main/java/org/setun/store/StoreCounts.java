package org.setun.store;

import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import org.setun.engine.StoreStatus;

/** Counts what the store does, and tells an observer. Thread-safe. */
final class StoreCounts {

    private final LongAdder queries = new LongAdder();
    private final LongAdder hits = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final LongAdder invalid = new LongAdder();
    private final LongAdder saved = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final LongAdder writtenBytes = new LongAdder();
    private final StoreObserver observer;

    StoreCounts(StoreObserver observer) {
        this.observer = observer;
    }

    void query() {
        queries.increment();
    }

    void hit(Duration duration) {
        hits.increment();
        observer.restored(duration);
    }

    void error() {
        errors.increment();
    }

    void invalid() {
        invalid.increment();
    }

    void dropped() {
        dropped.increment();
    }

    void saved(int bytes, Duration duration) {
        observer.saved(duration);
        saved.increment();
        writtenBytes.add(bytes);
    }

    StoreStatus status() {
        return new StoreStatus(
                queries.sum(), hits.sum(), errors.sum(), invalid.sum(), saved.sum(), dropped.sum(), writtenBytes.sum());
    }
}
