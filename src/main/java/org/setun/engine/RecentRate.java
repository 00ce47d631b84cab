package org.setun.engine;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;

/** An amount and the time that it took, over the last ten seconds. One thread adds; any thread may read. */
final class RecentRate {

    private static final int WINDOW_SECONDS = 10;
    // More than the window, so that the second that runs takes the place of none that counts.
    private static final int SLOTS = 16;

    private final LongSupplier nanoClock;
    private final long startNanos;
    private final AtomicLongArray seconds = new AtomicLongArray(SLOTS);
    private final AtomicLongArray amounts = new AtomicLongArray(SLOTS);
    private final AtomicLongArray nanos = new AtomicLongArray(SLOTS);

    RecentRate(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.startNanos = nanoClock.getAsLong();
    }

    void add(long amount, long took) {
        long second = second();
        int slot = (int) (second % SLOTS);
        if (seconds.getPlain(slot) != second) {
            seconds.setOpaque(slot, second);
            amounts.setOpaque(slot, 0);
            nanos.setOpaque(slot, 0);
        }
        amounts.setOpaque(slot, amounts.getPlain(slot) + amount);
        nanos.setOpaque(slot, nanos.getPlain(slot) + took);
    }

    /** Returns the amount of a second; not a number if nothing took any time. */
    double perSecond() {
        long now = second();
        double amount = 0;
        double took = 0;
        for (int slot = 0; slot < SLOTS; slot++) {
            if (seconds.getOpaque(slot) > now - WINDOW_SECONDS) {
                amount += amounts.getOpaque(slot);
                took += nanos.getOpaque(slot);
            }
        }
        return took == 0 ? Double.NaN : amount * Duration.ofSeconds(1).toNanos() / took;
    }

    /** Returns the number of the second that runs, from 1, so that an unused slot is of none. */
    private long second() {
        return Duration.ofNanos(nanoClock.getAsLong() - startNanos).toSeconds() + 1;
    }
}
