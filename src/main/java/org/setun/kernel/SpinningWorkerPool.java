package org.setun.kernel;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A worker pool for loops of a few microseconds, of which a decoding step runs hundreds: threads without work spin for a
 * moment, then yield, then park, so that a new loop usually finds them awake and an idle pool burns nothing.
 *
 * <p>Part {@code i} of a loop belongs to thread {@code i}, the caller being thread 0, so that a thread meets the same rows in
 * every step. A part is claimed before it runs; the caller, done with its own, claims what no worker has begun. A worker that
 * the operating system keeps away from a core therefore delays a loop only if it lost the core within its part. Then it is left
 * out for a while, see {@link WorkerRest}, and its parts are anyone's.
 *
 * <p>Each loop has a number that only grows. It is published together with its number of parts in one word, after the fields
 * that describe the loop: a thread that has claimed a part of loop {@code n} may read those fields, as loop {@code n} cannot end
 * without that part and so loop {@code n + 1} cannot have overwritten them.
 */
final class SpinningWorkerPool implements WorkerPool {

    /** A step's serial pieces take a few microseconds; twenty times that is still no noticeable load when work has ended. */
    private static final long SPIN_NANOS = 30_000;

    private static final long YIELD_NANOS = 60_000;

    /**
     * A worker that keeps the others waiting for longer has lost its core for a turn. Less is what a thread takes that sends a token to its
     * reader, in every step: to rest for that would cost far more.
     */
    private static final long TURN_NANOS = 1_000_000;

    /** Spins between two looks at the clock, which costs about as much as this many. */
    private static final int SPINS_PER_CLOCK = 16;

    /** Longs between the words of two threads: two cache lines, as adjacent lines are fetched in pairs. */
    private static final int STRIDE = 16;

    private static final int PUBLISHED = 0;
    private static final int CLAIMED = 1;
    private static final int FINISHED = 2;
    private static final int PARKED = 3;
    private static final int RESTING = 4;

    private static final int PARTS_BITS = 16;
    private static final int PARTS_MASK = (1 << (PARTS_BITS - 1)) - 1;

    /** In the published word: some of the loop's parts belong to threads that rest. */
    private static final int ANYONES = PARTS_MASK + 1;

    private static final long CLOSED = -1;

    private final Thread[] workers;

    /**
     * For each part the last loop that claimed and that finished it, and for each thread whether it is about to park and whether it
     * rests; thread 0's line also has the published word.
     */
    private final AtomicLongArray words;

    private final AtomicReferenceArray<@Nullable Throwable> failures;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final LongSupplier nanoClock;
    private final WorkerRest[] rests;

    /** How many workers rest; the caller's. */
    private int resting;

    private @Nullable Thread caller;
    private @Nullable RangeTask task;
    private int size;
    private int granularity;

    private SpinningWorkerPool(int threads, LongSupplier nanoClock) {
        this.workers = new Thread[threads - 1];
        this.words = new AtomicLongArray(threads * STRIDE);
        this.failures = new AtomicReferenceArray<>(threads);
        this.nanoClock = nanoClock;
        this.rests = new WorkerRest[threads];
        Arrays.setAll(rests, thread -> new WorkerRest());
    }

    /**
     * Starts a pool.
     *
     * @param nanoClock tells the time by which workers rest
     */
    static WorkerPool start(int threads, LongSupplier nanoClock) {
        if (threads < 1 || threads > PARTS_MASK) {
            throw new IllegalArgumentException("expected 1 to " + PARTS_MASK + " threads, found " + threads);
        }
        SpinningWorkerPool pool = new SpinningWorkerPool(threads, nanoClock);
        for (int thread = 1; thread < threads; thread++) {
            int self = thread;
            pool.workers[thread - 1] =
                    Thread.ofPlatform().daemon().name("setun-worker-" + self).start(() -> pool.work(self));
        }
        return pool;
    }

    @Override
    public int threads() {
        return workers.length + 1;
    }

    @Override
    public void forRange(int size, int granularity, RangeTask task) {
        if (size < 0 || granularity < 1) {
            throw new IllegalArgumentException("cannot split [0, " + size + ") at multiples of " + granularity);
        }
        int parts = Math.min(threads(), Math.ceilDiv(size, granularity));
        if (!busy.compareAndSet(false, true)) {
            throw new IllegalStateException("another loop is running: loops neither nest nor overlap");
        }
        try {
            if (published() == CLOSED) {
                throw new IllegalStateException("the worker pool is closed");
            }
            if (parts == 1) {
                task.run(0, size);
            } else if (parts > 1) {
                share(size, granularity, task, parts);
            }
        } finally {
            busy.set(false);
        }
    }

    private void share(int size, int granularity, RangeTask task, int parts) {
        this.caller = Thread.currentThread();
        this.size = size;
        this.granularity = granularity;
        this.task = task;
        if (resting > 0) {
            endRests();
        }
        long loop = (published() >>> PARTS_BITS) + 1;
        words.set(PUBLISHED, loop << PARTS_BITS | (resting > 0 ? ANYONES : 0) | parts);
        for (int thread = 1; thread < parts; thread++) {
            if (!rests[thread].resting()) {
                unparkIfParked(thread);
            }
        }
        long start = nanoClock.getAsLong();
        runPart(task, 0, parts);
        for (int part = 1; part < parts; part++) {
            if (claim(part, loop)) {
                runPart(task, part, parts);
            } else if (words.get(word(part, FINISHED)) != loop) {
                awaitFinished(part, loop, start);
            }
        }
        this.task = null;
        rethrowFailure(parts);
    }

    private void endRests() {
        long now = nanoClock.getAsLong();
        for (int thread = 1; thread <= workers.length; thread++) {
            if (rests[thread].endIfOver(now)) {
                resting--;
                words.set(word(thread, RESTING), 0);
                unparkIfParked(thread);
            }
        }
    }

    private void unparkIfParked(int worker) {
        if (words.get(word(worker, PARKED)) != 0) {
            LockSupport.unpark(workers[worker - 1]);
        }
    }

    private void work(int self) {
        long seen = 0;
        while (true) {
            if (words.get(word(self, RESTING)) != 0) {
                awaitWord(word(self, RESTING), 1, self);
            }
            seen = awaitPublished(self, seen);
            if (seen == CLOSED) {
                return;
            }
            int parts = (int) seen & PARTS_MASK;
            long loop = seen >>> PARTS_BITS;
            if (self < parts && words.get(word(self, RESTING)) == 0) {
                claimAndRun(self, loop, parts);
            }
            if ((seen & ANYONES) != 0) {
                for (int part = 1; part < parts; part++) {
                    if (words.get(word(part, RESTING)) != 0) {
                        claimAndRun(part, loop, parts);
                    }
                }
            }
        }
    }

    private void claimAndRun(int part, long loop, int parts) {
        if (claim(part, loop)) {
            runPart(requireTask(), part, parts);
            Thread waiting = caller;
            words.set(word(part, FINISHED), loop);
            if (words.get(PARKED) != 0) {
                LockSupport.unpark(waiting);
            }
        }
    }

    private RangeTask requireTask() {
        RangeTask claimed = task;
        if (claimed == null) {
            throw new AssertionError("a claimed part has no task");
        }
        return claimed;
    }

    /** Claims a part of a loop; false if it is taken. Numbers only grow, so a late claim of an old loop fails. */
    private boolean claim(int part, long loop) {
        long before = words.get(word(part, CLAIMED));
        return before < loop && words.compareAndSet(word(part, CLAIMED), before, loop);
    }

    private void runPart(RangeTask task, int part, int parts) {
        long units = Math.ceilDiv(size, granularity);
        int from = (int) (units * part / parts * granularity);
        int to = (int) Math.min(size, units * (part + 1) / parts * granularity);
        try {
            task.run(from, to);
        } catch (Throwable e) { // whatever it is, the other parts must end before the caller sees it
            failures.set(part, e);
        }
    }

    private void rethrowFailure(int parts) {
        Throwable first = null;
        for (int part = 0; part < parts; part++) {
            Throwable failure = failures.getAndSet(part, null);
            if (first == null) {
                first = failure;
            } else if (failure != null && !failure.equals(first)) {
                first.addSuppressed(failure);
            }
        }
        switch (first) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("a loop threw a checked exception", first);
        }
    }

    private long published() {
        return words.get(PUBLISHED);
    }

    private long awaitPublished(int self, long seen) {
        awaitWord(PUBLISHED, seen, self);
        return published();
    }

    /** Waits for a part; if for longer than all that the caller did in the loop, its worker rests. */
    private void awaitFinished(int part, long loop, long start) {
        long waitStart = nanoClock.getAsLong();
        int finished = word(part, FINISHED);
        for (long before = words.get(finished); before != loop; before = words.get(finished)) {
            awaitWord(finished, before, 0);
        }
        long now = nanoClock.getAsLong();
        long waited = now - waitStart;
        if (waited > TURN_NANOS && waited > waitStart - start && !rests[part].resting()) {
            rests[part].begin(now, waited);
            resting++;
            words.set(word(part, RESTING), 1);
        }
    }

    /** Returns once a word is no longer {@code old}: spins, then yields, then lets thread {@code self} park. */
    private void awaitWord(int word, long old, int self) {
        if (spun(word, old)) {
            return;
        }
        int parked = word(self, PARKED);
        // Whoever changes the word looks at this flag afterwards, and this thread looks at the word after raising it:
        // one of
        // the two sees the other, so no change is slept through.
        words.set(parked, 1);
        while (words.get(word) == old) {
            LockSupport.park(this);
        }
        words.set(parked, 0);
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding is a courtesy on a busy machine; nothing relies on it
    private boolean spun(int word, long old) {
        long start = System.nanoTime();
        long waited = 0;
        while (waited < SPIN_NANOS + YIELD_NANOS) {
            for (int i = 0; i < SPINS_PER_CLOCK; i++) {
                if (words.get(word) != old) {
                    return true;
                }
                Thread.onSpinWait();
            }
            waited = System.nanoTime() - start;
            if (waited >= SPIN_NANOS) {
                Thread.yield();
            }
        }
        return false;
    }

    private static int word(int thread, int which) {
        return thread * STRIDE + which;
    }

    /** Ends the threads. A loop that runs on another thread is an error of the caller's: it may then never return. */
    @Override
    public synchronized void close() {
        words.set(PUBLISHED, CLOSED);
        boolean interrupted = false;
        for (int thread = 1; thread <= workers.length; thread++) {
            words.set(word(thread, RESTING), 0);
            Thread worker = workers[thread - 1];
            LockSupport.unpark(worker);
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
