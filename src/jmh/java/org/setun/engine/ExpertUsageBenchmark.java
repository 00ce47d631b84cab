package org.setun.engine;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to count the use of a million experts: the engine thread's part, for the 128 lookups of one token in one layer, and
 * that of whoever scrapes. {@code PeerBenchmark} says what a token in such a layer takes.
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args=ExpertUsageBenchmark</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // set by fill()
public class ExpertUsageBenchmark {

    private static final int EXPERTS = 1 << 20;
    private static final int LOOKUPS = 128;
    private static final int TOKENS = 4096;

    private ExpertUsage usage;
    private long nanos;
    private int[] retrieved;
    private int token;

    /** Makes lookups of which few experts get most. */
    @Setup
    public void fill() {
        usage = new ExpertUsage(0, EXPERTS, 16, () -> nanos);
        SplittableRandom random = new SplittableRandom(1);
        retrieved = random.doubles((long) TOKENS * LOOKUPS)
                .mapToInt(value -> (int) (value * value * EXPERTS))
                .toArray();
        for (int expert : retrieved) {
            usage.add(expert, 1);
        }
    }

    @Benchmark
    public int count() {
        token = (token + 1) % TOKENS;
        for (int i = 0; i < LOOKUPS; i++) {
            usage.add(retrieved[token * LOOKUPS + i], 2);
        }
        return token;
    }

    @Benchmark
    public double spread() {
        // What is kept is too old each time.
        nanos += TimeUnit.MINUTES.toNanos(1);
        return usage.spread().entropy();
    }
}
