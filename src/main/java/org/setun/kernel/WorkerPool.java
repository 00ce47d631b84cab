package org.setun.kernel;

/**
 * A fixed set of threads that share loops. The calling thread works too, so a pool of one has no other thread.
 *
 * <p>One thread at a time calls {@link #forRange}; it returns when the whole range is done, and everything that the workers
 * wrote happens-before its return.
 */
public interface WorkerPool extends AutoCloseable {

    /** The body of a parallel loop. */
    @FunctionalInterface
    interface RangeTask {
        /** Does the work of {@code [from, to)}. */
        void run(int from, int to);
    }

    /**
     * Starts a pool of {@code threads} threads, the calling one among them; the others are daemons named
     * {@code setun-worker-1} and so on. Who starts a pool closes it.
     *
     * @throws IllegalArgumentException if {@code threads} is less than 1
     */
    static WorkerPool of(int threads) {
        return SpinningWorkerPool.start(threads, System::nanoTime);
    }

    /** Returns the number of threads that share a loop, the calling one among them. */
    int threads();

    /**
     * Splits {@code [0, size)} at multiples of {@code granularity} into at most {@link #threads} contiguous parts and runs
     * them. If a part throws, the others finish first and the exception is rethrown. How a range is split must not change
     * any result; callers see to that. Loops do not nest.
     *
     * @throws IllegalStateException if the pool is closed, or another loop of it is still running
     */
    void forRange(int size, int granularity, RangeTask task);

    /** Ends the threads and waits for them. Idempotent. */
    @Override
    void close();
}
