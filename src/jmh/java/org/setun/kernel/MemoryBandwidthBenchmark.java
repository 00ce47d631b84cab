package org.setun.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The rate at which memory can be read in order: no product whose weights lie in memory can be faster. The counter {@code bytes}
 * is bytes a second.
 *
 * <p>Run {@code ./mvnw -q test-compile exec:exec@jmh -Djmh.args='MemoryBandwidthBenchmark'}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
// The rate depends on where the pages lie, so more than one JVM.
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class MemoryBandwidthBenchmark {

    /** More than the last-level cache. */
    private static final long BYTES = 512L << 20;

    /** A page, and enough for an inner loop that the compiler turns into vectors. */
    private static final int BLOCK = 4096;

    /** Threads that share the memory. */
    @Param({"1", "2"})
    public int threads;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(BYTES, BLOCK);
    private final LongAdder total = new LongAdder();
    private WorkerPool workers = WorkerPool.of(1);

    /** The rate of an iteration. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Rate {
        /** Bytes read. */
        public long bytes;

        /** Starts an iteration. */
        @Setup(Level.Iteration)
        public void reset() {
            bytes = 0;
        }
    }

    /** Touches every page. */
    @Setup
    public void fill() {
        workers = WorkerPool.of(threads);
        memory.fill((byte) 1);
    }

    /** Ends the threads and frees the memory. */
    @TearDown
    public void free() {
        workers.close();
        arena.close();
    }

    /** Reads all of it. */
    @Benchmark
    public LongAdder read(Rate rate) {
        workers.forRange((int) (BYTES / BLOCK), 1, (from, to) -> {
            for (int block = from; block < to; block++) {
                total.add(sum(memory, (long) block * BLOCK));
            }
        });
        rate.bytes += BYTES;
        return total;
    }

    private static long sum(MemorySegment memory, long at) {
        long sum = 0;
        for (int i = 0; i < BLOCK; i += Long.BYTES) {
            sum += memory.get(ValueLayout.JAVA_LONG, at + i);
        }
        return sum;
    }
}
