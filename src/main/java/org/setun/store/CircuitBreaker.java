package org.setun.store;

import java.time.Duration;
import java.util.function.LongSupplier;

/** After some failures in a row lets nobody try for a while, so that what is broken costs next to nothing. Thread-safe. */
final class CircuitBreaker {

    private static final int FAILURES = 3;
    private static final Duration PAUSE = Duration.ofSeconds(5);

    private final LongSupplier nanoClock;
    private int failures;
    private long openedNanos;

    CircuitBreaker(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** Returns whether a try is allowed. */
    synchronized boolean allows() {
        return failures < FAILURES || nanoClock.getAsLong() - openedNanos >= PAUSE.toNanos();
    }

    /** Notes that a try went well. */
    synchronized void succeeded() {
        failures = 0;
    }

    /** Notes that a try failed, and returns whether there will be none for a while. */
    synchronized boolean failed() {
        failures = Math.min(failures + 1, FAILURES);
        if (failures == FAILURES) {
            openedNanos = nanoClock.getAsLong();
        }
        return failures == FAILURES;
    }
}
