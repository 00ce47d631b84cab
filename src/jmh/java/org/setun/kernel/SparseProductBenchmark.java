package org.setun.kernel;

import java.lang.foreign.Arena;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
import org.setun.tensor.TernaryColumns;
import org.setun.tensor.TernaryMatrix;

/**
 * The product of a few tokens with sparse activations, by the layout that is read whole and by the one that leaves out columns: what
 * {@link ColumnPolicy} rests on. {@code dense} does not depend on the kept ratio; {@code select} is what choosing the codes
 * costs on top of either.
 *
 * <p>Run {@code ./mvnw -q test-compile exec:exec@jmh -Djmh.args='SparseProductBenchmark'}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
// Vector code needs a second or so until the last tier has compiled it.
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
// A second JVM shows whether a result is one of compilation order.
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class SparseProductBenchmark {

    /** More than any last-level cache that a core is likely to reach, so that a matrix has left the cache when its turn returns. */
    private static final long DRAM_BYTES = 512L << 20;

    /** Names as in {@code setun.kernel}; those that the machine lacks fail with the possible ones. */
    @Param("auto")
    public String kernel = "";

    /** Rows x columns: down, gate and gate with up of a 2.7B model, and a square of the 370M model. */
    @Param({"2560x6912", "6912x2560", "13824x2560", "1024x1024"})
    public String shape = "";

    /** The fraction of activations that are not dropped. */
    @Param({"1.0", "0.6", "0.4", "0.2"})
    public double kept;

    /** Tokens, each with zeros of its own. */
    @Param("1")
    public int tokens;

    /** {@code cache}: one matrix again and again; {@code dram}: matrices of together 512 MiB in turn, as in a large model. */
    @Param({"cache", "dram"})
    public String memory = "";

    /** Threads that share a product; the kernels' own pool, not JMH's threads. */
    @Param({"1", "2"})
    public int threads;

    private final Arena arena = Arena.ofShared();
    private Kernels kernels = KernelSelection.select(KernelSelection.SCALAR, 1);
    private TernaryMatrix[] matrices = {};
    private TernaryColumns[] columns = {};
    private QuantizedActivations activations = new QuantizedActivations(0, 0);
    private QuantizedActivations dense = new QuantizedActivations(0, 0);
    private int keep;
    private int[] sums = {};
    private int next;

    /** Fills the matrices and activations. */
    @Setup
    public void allocate() {
        kernels = KernelSelection.select(kernel, threads);
        int rows = Integer.parseInt(shape.substring(0, shape.indexOf('x')));
        int width = Integer.parseInt(shape.substring(shape.indexOf('x') + 1));
        Random random = new Random(1);
        int count = memory.equals("cache")
                ? 1
                : (int) Math.ceilDiv(DRAM_BYTES, kernels.layout().packedBytes(rows, width));
        byte[] trits = new byte[width];
        for (int column = 0; column < width; column++) {
            trits[column] = (byte) (random.nextInt(3) - 1);
        }
        matrices = IntStream.range(0, count)
                // No kernel's time depends on the values, so the other rows may stay zero.
                .mapToObj(i -> kernels.layout()
                        .builder(rows, width, arena)
                        .setRow(i % rows, trits, 0)
                        .build(1))
                .toArray(TernaryMatrix[]::new);
        columns = IntStream.range(0, count)
                .mapToObj(i -> TernaryColumns.of(matrices[i], arena))
                .toArray(TernaryColumns[]::new);
        keep = (int) (kept * width + 0.5);
        dense = new QuantizedActivations(tokens, width);
        dense.reshape(width);
        for (int i = 0; i < dense.codes().length; i++) {
            // A normal distribution whose largest value is about 3.5 deviations.
            int code = (int) Math.rint(Math.clamp(random.nextGaussian() / 3.5, -1, 1) * 127);
            dense.codes()[i] = (byte) (code == 0 ? 1 : code);
        }
        activations = new QuantizedActivations(tokens, width);
        select();
        sums = new int[tokens * rows];
    }

    /** Ends the threads and frees the matrices. */
    @TearDown
    public void free() {
        kernels.workers().close();
        arena.close();
    }

    /** Starts where the caches hold nothing of the next matrix. */
    @Setup(Level.Iteration)
    public void rewind() {
        next = 0;
    }

    /** Chooses the codes and lists their columns. */
    @Benchmark
    public QuantizedActivations select() {
        System.arraycopy(dense.codes(), 0, activations.codes(), 0, dense.codes().length);
        activations.reshape(dense.columns());
        for (int token = 0; token < tokens; token++) {
            activations.keepLargest(token, keep);
            activations.countNonZeros(token);
            activations.listNonZeros(token);
        }
        return activations;
    }

    /** The product that reads all weights. */
    @Benchmark
    public int[] dense() {
        TernaryMatrix matrix = matrices[next];
        next = (next + 1) % matrices.length;
        kernels.workers()
                .forRange(
                        matrix.rows(),
                        matrix.rowBlock(),
                        (from, to) -> kernels.ternary().multiply(matrix, activations, tokens, from, to, sums));
        return sums;
    }

    /** The product that reads the kept columns. */
    @Benchmark
    public int[] sparse() {
        TernaryColumns weights = columns[next];
        next = (next + 1) % columns.length;
        kernels.workers().forRange(weights.rows(), TernaryColumns.ROW_BLOCK, (from, to) -> {
            for (int token = 0; token < tokens; token++) {
                int at = token * weights.rows() + from;
                kernels.sparse().multiply(weights, activations, token, from, to, sums, at);
            }
        });
        return sums;
    }
}
