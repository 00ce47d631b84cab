package org.setun.kernel;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * One loop of a worker pool: what sharing it costs when its parts do nothing, and how long it takes when they together have some
 * microseconds of work, as in a decoding step.
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args=WorkerPoolBenchmark</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
// Where threads are placed differs from one JVM to the next.
@Fork(5)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class WorkerPoolBenchmark {

    /** Threads that share the loop. */
    @Param({"1", "2"})
    public int threads;

    /** Work of all parts together, in JMH's units of about 1 to 2 ns. */
    @Param({"0", "20000"})
    public int work;

    private WorkerPool workers = WorkerPool.of(1);

    /** Starts the threads. */
    @Setup
    public void start() {
        workers.close();
        workers = WorkerPool.of(threads);
    }

    /** Ends the threads. */
    @TearDown
    public void stop() {
        workers.close();
    }

    /** Runs one loop. */
    @Benchmark
    public void loop() {
        workers.forRange(threads, 1, (from, to) -> {
            if (work > 0) {
                Blackhole.consumeCPU(work / threads);
            }
        });
    }
}
