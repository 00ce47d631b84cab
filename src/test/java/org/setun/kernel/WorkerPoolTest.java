package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A loop runs every element once, whatever the number of threads, and a failure or the end of the pool loses nothing. */
@Timeout(60)
final class WorkerPoolTest {

    private static final long WAIT_NANOS = 3_000_000;

    private record Part(int from, int to) {}

    private static List<Part> partsOf(WorkerPool pool, int size, int granularity) {
        List<Part> parts = Collections.synchronizedList(new ArrayList<>());
        pool.forRange(size, granularity, (from, to) -> parts.add(new Part(from, to)));
        parts.sort(Comparator.comparingInt(Part::from));
        return parts;
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,1", "1,32", "31,32", "32,32", "33,32", "97,32", "1000,7", "2147483647,32", "2147483647,1"})
    void partsCoverTheRangeAndBeginAtMultiplesOfTheGranularity(int size, int granularity) {
        for (int threads : new int[] {1, 2, 3, 5, 8}) {
            try (WorkerPool pool = WorkerPool.of(threads)) {
                List<Part> parts = partsOf(pool, size, granularity);
                assertThat(parts).hasSize(Math.min(threads, Math.ceilDiv(size, granularity)));
                int next = 0;
                for (Part part : parts) {
                    assertThat(part.from()).isEqualTo(next);
                    assertThat(part.from() % granularity).isZero();
                    assertThat(part.to()).isGreaterThan(part.from());
                    next = part.to();
                }
                assertThat(next).isEqualTo(size);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7})
    void everyElementRunsOnceInEachOfManyLoopsAndTheCallerSeesAllWrites(int threads) {
        int loops = 20_000;
        int[] counts = new int[97];
        try (WorkerPool pool = WorkerPool.of(threads)) {
            for (int loop = 1; loop <= loops; loop++) {
                // Sizes vary so that threads take part in some loops and miss others.
                int size = 1 + loop % counts.length;
                pool.forRange(size, 1, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        counts[i]++;
                    }
                });
                if (loop % counts.length == 0) {
                    int rounds = loop / counts.length;
                    for (int i = 0; i < counts.length; i++) {
                        assertThat(counts[i]).isEqualTo(rounds * (counts.length - i));
                    }
                }
            }
        }
        assertThat(Arrays.stream(counts).asLongStream().sum()).isPositive();
    }

    @Test
    void aLoopEndsWhenAWorkerWakesUpAfterAPause() {
        try (WorkerPool pool = WorkerPool.of(3)) {
            for (int loop = 0; loop < 50; loop++) {
                assertThat(partsOf(pool, 3, 1)).hasSize(3);
                long until = System.nanoTime() + Duration.ofMillis(1).toNanos();
                while (System.nanoTime() < until) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void partsRunAtTheSameTimeOnNamedDaemonThreads() {
        int threads = 3;
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        try (WorkerPool pool = WorkerPool.of(threads)) {
            // The first part waits until a worker has run another, so the caller cannot have run all of them.
            CountDownLatch started = new CountDownLatch(threads - 1);
            pool.forRange(threads, 1, (from, to) -> {
                seen.add(Thread.currentThread());
                if (from == 0) {
                    await(started);
                } else {
                    started.countDown();
                }
            });
        }
        seen.remove(Thread.currentThread());
        assertThat(seen).extracting(Thread::getName).containsExactlyInAnyOrder("setun-worker-1", "setun-worker-2");
        assertThat(seen).allMatch(Thread::isDaemon);
    }

    @Test
    void aWorkerThatKeepsTheCallerWaitingIsLeftOutUntilItsRestIsOver() {
        AtomicLong clock = new AtomicLong();
        try (WorkerPool pool = SpinningWorkerPool.start(2, clock::get)) {
            keepTheCallerWaiting(pool, clock);
            clock.addAndGet(WAIT_NANOS - 1);
            for (int loop = 0; loop < 20_000; loop++) {
                assertThat(threadOfPart1(pool)).isEqualTo(Thread.currentThread());
            }
            clock.addAndGet(1);
            while (threadOfPart1(pool) == Thread.currentThread()) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void theOthersShareThePartsOfAWorkerThatRests() {
        AtomicLong clock = new AtomicLong();
        int[] counts = new int[4];
        int loops = 20_000;
        try (WorkerPool pool = SpinningWorkerPool.start(counts.length, clock::get)) {
            keepTheCallerWaiting(pool, clock);
            CountDownLatch begun = new CountDownLatch(counts.length - 1);
            Set<String> names = ConcurrentHashMap.newKeySet();
            // The caller is held in its own part until others have begun the rest.
            pool.forRange(counts.length, 1, (from, to) -> {
                names.add(Thread.currentThread().getName());
                if (from == 0) {
                    await(begun);
                } else {
                    begun.countDown();
                }
            });
            assertThat(names).isSubsetOf(Thread.currentThread().getName(), "setun-worker-2", "setun-worker-3");
            for (int loop = 0; loop < loops; loop++) {
                pool.forRange(counts.length, 1, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        counts[i]++;
                    }
                });
            }
        }
        assertThat(counts).containsOnly(loops);
    }

    @Test
    void closeEndsAWorkerThatRests() {
        AtomicLong clock = new AtomicLong();
        try (WorkerPool pool = SpinningWorkerPool.start(2, clock::get)) {
            keepTheCallerWaiting(pool, clock);
        }
        assertThat(clock).hasValue(WAIT_NANOS);
    }

    /** Has the caller wait for worker 1 beyond all spinning, for {@link #WAIT_NANOS} of the clock. */
    private static void keepTheCallerWaiting(WorkerPool pool, AtomicLong clock) {
        Thread caller = Thread.currentThread();
        AtomicBoolean begun = new AtomicBoolean();
        pool.forRange(pool.threads(), 1, (from, to) -> {
            if (from == 0) {
                while (!begun.get()) {
                    Thread.onSpinWait();
                }
            } else if (from == 1) {
                begun.set(true);
                while (caller.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                clock.addAndGet(WAIT_NANOS);
            }
        });
    }

    private static Thread threadOfPart1(WorkerPool pool) {
        AtomicReference<Thread> thread = new AtomicReference<>(Thread.currentThread());
        pool.forRange(2, 1, (from, to) -> {
            if (from == 1) {
                thread.set(Thread.currentThread());
            }
        });
        return thread.get();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anExceptionOfAnyPartIsRethrownAfterTheOthersHaveFinishedAndThePoolGoesOn() {
        int threads = 4;
        try (WorkerPool pool = WorkerPool.of(threads)) {
            for (int loop = 0; loop < 2_000; loop++) {
                int failing = loop % threads;
                boolean[] finished = new boolean[threads];
                assertThatThrownBy(() -> pool.forRange(threads, 1, (from, to) -> {
                            if (from == failing) {
                                throw new IllegalArgumentException("part " + from);
                            }
                            finished[from] = true;
                        }))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("part " + failing);
                boolean[] expected = new boolean[threads];
                Arrays.fill(expected, true);
                expected[failing] = false;
                assertThat(finished).isEqualTo(expected);
                assertThat(partsOf(pool, threads, 1)).hasSize(threads);
            }
        }
    }

    @Test
    void theFirstOfSeveralFailuresCarriesTheOthers() {
        try (WorkerPool pool = WorkerPool.of(3)) {
            assertThatThrownBy(() -> pool.forRange(3, 1, (from, to) -> {
                        throw new AssertionError("part " + from);
                    }))
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("part 0")
                    .satisfies(e -> assertThat(e.getSuppressed())
                            .extracting(Throwable::getMessage)
                            .containsExactly("part 1", "part 2"));
        }
    }

    @Test
    void closeEndsTheThreadsAndMayBeRepeated() {
        Set<Thread> workers = ConcurrentHashMap.newKeySet();
        WorkerPool pool = WorkerPool.of(2);
        CountDownLatch started = new CountDownLatch(1);
        pool.forRange(2, 1, (from, to) -> {
            if (from == 0) {
                await(started);
            } else {
                workers.add(Thread.currentThread());
                started.countDown();
            }
        });
        pool.close();
        pool.close();
        assertThat(workers).hasSize(1).noneMatch(Thread::isAlive);
        assertThatIllegalStateException()
                .isThrownBy(() -> pool.forRange(1, 1, (from, to) -> {}))
                .withMessageContaining("closed");
    }

    @Test
    void loopsDoNotNest() {
        try (WorkerPool pool = WorkerPool.of(2)) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> pool.forRange(2, 1, (from, to) -> pool.forRange(2, 1, (a, b) -> {})))
                    .withMessageContaining("nest");
        }
    }

    @Test
    void impossibleSizesAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> WorkerPool.of(0)).withMessageContaining("found 0");
        try (WorkerPool pool = WorkerPool.of(1)) {
            assertThatIllegalArgumentException().isThrownBy(() -> pool.forRange(-1, 1, (from, to) -> {}));
            assertThatIllegalArgumentException().isThrownBy(() -> pool.forRange(1, 0, (from, to) -> {}));
        }
    }

    @Test
    void idleWorkersUseNoProcessorTime() {
        Set<Long> ids = ConcurrentHashMap.newKeySet();
        try (WorkerPool pool = WorkerPool.of(2)) {
            CountDownLatch started = new CountDownLatch(1);
            pool.forRange(2, 1, (from, to) -> {
                if (from == 0) {
                    await(started);
                } else {
                    ids.add(Thread.currentThread().threadId());
                    started.countDown();
                }
            });
            long id = ids.iterator().next();
            var threads = ManagementFactory.getThreadMXBean();
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while (threads.getThreadInfo(id).getThreadState() != Thread.State.WAITING) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.onSpinWait();
            }
        }
    }
}
