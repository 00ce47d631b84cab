package org.setun.store;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/** Writes a warning at most once a minute, however often there is a reason. Thread-safe. */
final class OccasionalLog {

    private static final long DISTANCE_NANOS = Duration.ofMinutes(1).toNanos();

    private final Logger log;
    private final LongSupplier nanoClock;
    private final AtomicLong lastNanos;

    OccasionalLog(Logger log, LongSupplier nanoClock) {
        this.log = log;
        this.nanoClock = nanoClock;
        this.lastNanos = new AtomicLong(nanoClock.getAsLong() - DISTANCE_NANOS);
    }

    /** Logs the reason, unless there was another one in the last minute. */
    void warn(String message, Object reason) {
        long last = lastNanos.get();
        long now = nanoClock.getAsLong();
        if (now - last >= DISTANCE_NANOS && lastNanos.compareAndSet(last, now)) {
            log.warn(message, reason);
        }
    }
}
