package org.setun.kernel;

import java.lang.foreign.Arena;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
import org.setun.tensor.TernaryMatrix;

/**
 * The ternary product on the shapes of the published MatMul-free models. {@link MemoryBandwidthBenchmark} measures the rate
 * that bounds it where weights come from memory.
 *
 * <p>Run {@code ./mvnw -q test-compile exec:exec@jmh -Djmh.args='TernaryProductBenchmark'}. Counters: {@code weights} is ternary
 * weights times tokens a second, {@code bytes} is packed bytes read a second, each matrix counted once a product; a quarter of a
 * byte is one weight.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
// Vector code needs a second or so until the last tier has compiled it.
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
// A second JVM shows whether a result is one of compilation order.
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class TernaryProductBenchmark {

    /** More than any last-level cache that a core is likely to reach, so that a matrix has left the cache when its turn returns. */
    private static final long DRAM_BYTES = 512L << 20;

    /** Names as in {@code setun.kernel}; those that the machine lacks fail with the possible ones. */
    @Param({
        "scalar",
        "vector-128",
        "vector-256",
        "vector-512",
        "lookup-512",
        "native-avx2",
        "native-vnni512",
        "native-vbmi512"
    })
    public String kernel = "";

    /** Rows x columns: the square and the down projection of the 370M model, and of the 2.7B model. */
    @Param({"1024x1024", "1024x2816", "2560x2560", "2560x6912"})
    public String shape = "";

    /** One sequence that decodes, and a batch or a chunk of a prompt. */
    @Param({"1", "8"})
    public int tokens;

    /** {@code cache}: one matrix again and again; {@code dram}: matrices of together 512 MiB in turn, as in a large model. */
    @Param({"cache", "dram"})
    public String memory = "";

    /** Threads that share a product; the kernels' own pool, not JMH's threads. */
    @Param("1")
    public int threads;

    private final Arena arena = Arena.ofShared();
    private Kernels kernels = KernelSelection.select(KernelSelection.SCALAR, 1);
    private TernaryMatrix[] matrices = {};
    private QuantizedActivations activations = new QuantizedActivations(0, 0);
    private int[] sums = {};
    private int next;

    /** Rates of an iteration. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Rates {
        /** Ternary weights times tokens. */
        public long weights;

        /** Packed bytes of weights. */
        public long bytes;

        /** Starts an iteration. */
        @Setup(Level.Iteration)
        public void reset() {
            weights = 0;
            bytes = 0;
        }
    }

    /** Fills the matrices and activations with random values. */
    @Setup
    public void allocate() {
        kernels = KernelSelection.select(kernel, threads);
        int rows = Integer.parseInt(shape.substring(0, shape.indexOf('x')));
        int columns = Integer.parseInt(shape.substring(shape.indexOf('x') + 1));
        Random random = new Random(1);
        long matrixBytes = kernels.layout().packedBytes(rows, columns);
        int count = memory.equals("cache") ? 1 : (int) Math.ceilDiv(DRAM_BYTES, matrixBytes);
        byte[] trits = new byte[columns];
        for (int column = 0; column < columns; column++) {
            trits[column] = (byte) (random.nextInt(3) - 1);
        }
        matrices = IntStream.range(0, count)
                // No kernel's time depends on the values, so the other rows may stay zero.
                .mapToObj(i -> kernels.layout()
                        .builder(rows, columns, arena)
                        .setRow(i % rows, trits, 0)
                        .build(1))
                .toArray(TernaryMatrix[]::new);
        activations = new QuantizedActivations(tokens, columns);
        activations.reshape(columns);
        random.nextBytes(activations.codes());
        activations.reshape(columns);
        sums = new int[tokens * rows];
    }

    /** Ends the threads and frees the matrices. */
    @TearDown
    public void free() {
        kernels.workers().close();
        arena.close();
    }

    /** One product of a matrix with a batch. */
    @Benchmark
    public int[] multiply(Rates rates) {
        TernaryMatrix matrix = matrices[next];
        next = (next + 1) % matrices.length;
        kernels.workers()
                .forRange(
                        matrix.rows(),
                        matrix.rowBlock(),
                        (from, to) -> kernels.ternary().multiply(matrix, activations, tokens, from, to, sums));
        rates.weights += (long) matrix.rows() * matrix.columns() * tokens;
        rates.bytes += matrix.byteSize();
        return sums;
    }
}
