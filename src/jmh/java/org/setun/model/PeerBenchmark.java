package org.setun.model;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.setun.kernel.Activation;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.tensor.PanelMatrix;
import org.setun.tensor.TernaryMatrix;
import org.setun.tensor.TernaryTable;

/**
 * One PEER layer with random weights: width 1,024, 8 heads of 16 experts each, layer norm, shared keys, softmax, GELU. Times are a
 * token's. The tokens are random, and there are enough of them that an expert has left the caches before it is chosen
 * again, as far as the tables (512 bytes an expert) exceed the caches.
 *
 * <p>{@code layer} is the whole; {@code query}, {@code retrieval} and {@code experts} are its parts: the ternary projection; the scores
 * of sub-keys and the three selections; sorting the picks, products, activations and the sum of rows.
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args='PeerBenchmark.layer'</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
        value = 2,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xms2g", "-Xmx2g"})
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 6, time = 1)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters, make() the rest
public class PeerBenchmark {

    /** Tokens of one invocation, in one batch or in several. */
    private static final int TOKENS = 16;

    private static final int HIDDEN_SIZE = 1024;
    private static final int HEADS = 8;
    private static final int TOP_K = 16;

    /** Different inputs: together they pick half a million times. */
    private static final int INPUTS = 4096;

    /** Experts. */
    @Param({"16384", "65536", "262144", "1048576", "4194304"})
    public int experts;

    /** The width of a sub-key. */
    @Param({"64", "128"})
    public int keyDim;

    /** Threads that share a step. */
    @Param({"1", "2"})
    public int threads;

    /** Tokens of a step. */
    @Param({"1", "16"})
    public int batch;

    /** The arithmetic: see {@code setun.engine.kernel}. */
    @Param("auto")
    public String kernel;

    private final SplittableRandom random = new SplittableRandom(1);
    private final Arena arena = Arena.ofShared();
    private Kernels kernels;
    private Peer peer;
    private Buffers buffers;
    private float[] inputs;
    private float[] x;
    private float[] out;
    private int next;

    /** Makes the layer. */
    @Setup
    public void make() {
        kernels = KernelSelection.select(kernel, threads);
        int side = (int) Math.round(Math.sqrt(experts));
        int queryWidth = HEADS * 2 * keyDim;
        peer = new Peer(
                query(queryWidth),
                HEADS,
                new QueryNorm.Layer(new QueryNorm.Affine(floats(queryWidth, 1), floats(queryWidth, 0.1f)), 1e-6f),
                new ProductKeys(List.of(new ProductKeys.Pair(keys(side), keys(side)))),
                TOP_K,
                Score.SOFTMAX,
                Activation.GELU,
                new TernaryExperts(table(), table(), new Sparsity.Dense()));
        RmsNorm norm = new RmsNorm(floats(HIDDEN_SIZE, 1), 1e-6f);
        Mlgru unused =
                new Mlgru(peer.query(), peer.query(), peer.query(), peer.query(), norm, floats(HIDDEN_SIZE, 1), null);
        ExpertBuffers scratch = new ExpertBuffers(batch, HIDDEN_SIZE, List.of(new Block(norm, unused, norm, peer)));
        buffers = new Buffers(batch, 1, HIDDEN_SIZE, Math.max(HIDDEN_SIZE, queryWidth), 1, scratch, PassCounter.off());
        inputs = floats(INPUTS * HIDDEN_SIZE, 1);
        x = new float[batch * HIDDEN_SIZE];
        out = new float[batch * HIDDEN_SIZE];
        nextInput();
        peer.forward(x, batch, out, buffers, kernels);
    }

    private BitLinear query(int rows) {
        TernaryMatrix.Builder builder = kernels.layout().builder(rows, HIDDEN_SIZE, arena);
        for (int row = 0; row < rows; row++) {
            builder.setRow(row, trits(HIDDEN_SIZE), 0);
        }
        return new BitLinear(builder.build(0.03f), new RmsNorm(floats(HIDDEN_SIZE, 1), 1e-6f));
    }

    private PanelMatrix keys(int side) {
        return new PanelMatrix(side, keyDim, floats(side * keyDim, 0.2f), 0, arena);
    }

    /** Returns a table whose rows are windows of one run of trits: no kernel's time depends on the values. */
    private TernaryTable table() {
        byte[] trits = trits(1 << 16);
        TernaryTable.Builder builder = new TernaryTable.Builder(experts, HIDDEN_SIZE, arena);
        IntStream.range(0, experts)
                .parallel()
                .forEach(row -> builder.setRow(row, trits, row * 31 % (trits.length - HIDDEN_SIZE), 0.03f));
        return builder.build();
    }

    private byte[] trits(int length) {
        byte[] trits = new byte[length];
        for (int i = 0; i < length; i++) {
            trits[i] = (byte) (random.nextInt(3) - 1);
        }
        return trits;
    }

    private float[] floats(int length, float deviation) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = deviation * (float) random.nextGaussian();
        }
        return values;
    }

    private void nextInput() {
        System.arraycopy(inputs, next * HIDDEN_SIZE, x, 0, x.length);
        next = (next + batch) % INPUTS;
    }

    /** The whole layer. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public float[] layer() {
        for (int token = 0; token < TOKENS; token += batch) {
            nextInput();
            peer.forward(x, batch, out, buffers, kernels);
        }
        return out;
    }

    /** The query projection. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public float[] query() {
        for (int token = 0; token < TOKENS; token += batch) {
            nextInput();
            peer.query().forward(x, batch, buffers, buffers.first(), kernels);
        }
        return out;
    }

    /** Scores and selections, with the inputs as queries. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public float retrieval() {
        Retrieval retrieval = buffers.experts().retrieval(peer);
        for (int token = 0; token < TOKENS; token += batch) {
            int width = HEADS * 2 * keyDim;
            System.arraycopy(inputs, next * width % (inputs.length - batch * width), buffers.first(), 0, batch * width);
            next = (next + batch) % INPUTS;
            peer.keys().retrieve(buffers.first(), retrieval, buffers.experts(), kernels);
        }
        return retrieval.score(0, 0, 0);
    }

    /** The experts, chosen at random. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public float[] experts() {
        Retrieval retrieval = buffers.experts().retrieval(peer);
        for (int token = 0; token < TOKENS; token += batch) {
            nextInput();
            for (int i = 0; i < batch * HEADS * TOP_K; i++) {
                retrieval.experts()[i] = random.nextInt(experts);
            }
            buffers.experts().picks().take(retrieval, buffers.experts().gates());
            peer.experts().forward(x, batch, buffers.experts().picks(), peer.activation(), out, buffers, kernels);
        }
        return out;
    }

    /** Ends the threads and frees the weights. */
    @TearDown
    public void free() {
        kernels.workers().close();
        arena.close();
    }
}
