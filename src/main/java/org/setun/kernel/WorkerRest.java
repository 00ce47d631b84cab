package org.setun.kernel;

/**
 * When one worker of a pool is left out of loops. Where another process wants the worker's core, the operating system takes turns
 * of milliseconds, and a worker that loses the core within a part keeps all others waiting for a whole turn. It then rests for as
 * long as it kept them waiting; if that happens again soon after its return, for twice as long as before. So at the least half
 * of the time, and soon nearly all of it, the others are not held up, and a machine that has become quiet has its worker back
 * within {@link #MOST_NANOS}.
 *
 * <p>For the thread that runs the loops.
 */
final class WorkerRest {

    /** Against turns of 3 to 4 ms on Linux this makes the time lost a twentieth at most. */
    static final long MOST_NANOS = 100_000_000;

    /** A worker that held nobody up for so many times its last rest has made good. */
    private static final int PROBATION = 4;

    private boolean resting;
    private long returnNanos;
    private long lastNanos;

    /** Returns whether the worker rests. */
    boolean resting() {
        return resting;
    }

    /**
     * Begins a rest.
     *
     * @param now the time in nanoseconds, of any origin
     * @param waitedNanos how long the worker kept the others waiting just now
     */
    void begin(long now, long waitedNanos) {
        boolean again = lastNanos > 0 && now - returnNanos < PROBATION * lastNanos;
        lastNanos = Math.min(MOST_NANOS, again ? 2 * lastNanos : waitedNanos);
        returnNanos = now + lastNanos;
        resting = true;
    }

    /** Ends the rest if its time is over; returns whether it has ended just now. */
    boolean endIfOver(long now) {
        if (resting && now - returnNanos >= 0) {
            resting = false;
            return true;
        }
        return false;
    }
}
