package org.setun.store;

import java.util.concurrent.atomic.LongAdder;
import org.setun.engine.StoreStatus;

/** Counts what the store does. Thread-safe. */
final class StoreCounts {

    private final LongAdder queries = new LongAdder();
    private final LongAdder hits = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final LongAdder invalid = new LongAdder();
    private final LongAdder saved = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final LongAdder writtenBytes = new LongAdder();

    void query() {
        queries.increment();
    }

    void hit() {
        hits.increment();
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

    void saved(int bytes) {
        saved.increment();
        writtenBytes.add(bytes);
    }

    StoreStatus status() {
        return new StoreStatus(
                queries.sum(), hits.sum(), errors.sum(), invalid.sum(), saved.sum(), dropped.sum(), writtenBytes.sum());
    }
}
