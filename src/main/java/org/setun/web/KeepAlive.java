package org.setun.web;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/**
 * Keeps one silent stream of events alive: while it waits in the queue, or for its first token, proxies and clients would
 * take its connection for dead. After each interval without a byte it asks the stream's writer to write, who then finds
 * text that has become ready or sends a comment, which readers of events pass over. So a comment neither stands inside an
 * event nor goes before text, and no more than one waits for a reader that is slow.
 */
final class KeepAlive {

    private static final byte[] COMMENT = ": ping\n\n".getBytes(StandardCharsets.UTF_8);

    private final long interval;
    private final Scheduler scheduler;
    private final LongSupplier nanoTime;
    private final Disposable.Swap timer = Disposables.swap();
    private volatile long lastWrite;

    /**
     * Creates a keep-alive that does nothing yet.
     *
     * @param interval how long the stream may be silent; zero for as long as it likes
     * @param scheduler runs the timer
     * @param nanoTime the time, as of {@link System#nanoTime}
     */
    KeepAlive(Duration interval, Scheduler scheduler, LongSupplier nanoTime) {
        // This conversion saturates, so that an interval of centuries means what it says.
        this.interval = TimeUnit.NANOSECONDS.convert(interval);
        this.scheduler = scheduler;
        this.nanoTime = nanoTime;
    }

    /** Begins to call {@code wake} after each silent interval, on a thread of the scheduler, until {@link #stop}. */
    void start(Runnable wake) {
        if (interval > 0) {
            lastWrite = nanoTime.getAsLong();
            schedule(wake, interval);
        }
    }

    /**
     * Returns what the stream's writer is to send.
     *
     * @param ready the bytes that it has, which may be none
     * @return {@code ready}, or a comment if it is empty and the stream has been silent for an interval
     */
    byte[] fill(byte[] ready) {
        if (ready.length == 0 && (interval == 0 || timer.isDisposed() || untilDue() > 0)) {
            return ready;
        }
        lastWrite = nanoTime.getAsLong();
        return ready.length == 0 ? COMMENT.clone() : ready;
    }

    /** Ends the calls and the comments. Idempotent, any thread. */
    void stop() {
        timer.dispose();
    }

    private void schedule(Runnable wake, long delay) {
        timer.replace(scheduler.schedule(() -> check(wake), delay, TimeUnit.NANOSECONDS));
    }

    // One timer an interval, and none a token: it looks when the last write was, and comes again when that is due.
    private void check(Runnable wake) {
        long left = untilDue();
        if (left <= 0) {
            wake.run();
        }
        schedule(wake, left <= 0 ? interval : left);
    }

    private long untilDue() {
        return interval - (nanoTime.getAsLong() - lastWrite);
    }
}
