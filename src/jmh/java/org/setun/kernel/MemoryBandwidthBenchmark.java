package org.setun.kernel;

import java.util.concurrent.TimeUnit;
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

    /** Threads that share the memory. */
    @Param({"1", "2"})
    public int threads;

    private final StreamingRead memory = new StreamingRead(StreamingRead.DEFAULT_BYTES);
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

    /** Starts the threads. */
    @Setup
    public void start() {
        workers.close();
        workers = WorkerPool.of(threads);
    }

    /** Ends the threads and frees the memory. */
    @TearDown
    public void free() {
        workers.close();
        memory.close();
    }

    /** Reads all of it. */
    @Benchmark
    public long read(Rate rate) {
        rate.bytes += memory.bytes();
        return memory.read(workers);
    }
}
