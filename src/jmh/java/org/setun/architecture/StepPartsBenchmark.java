package org.setun.architecture;

import java.lang.foreign.Arena;
import java.util.OptionalDouble;
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
import org.setun.kernel.ColumnPolicy;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;
import org.setun.kernel.ScreenKernel;
import org.setun.kernel.TernaryKernel;
import org.setun.model.Batch;
import org.setun.model.CandidateRule;
import org.setun.model.Chunk;
import org.setun.model.KeyValueFormat;
import org.setun.model.SequenceState;
import org.setun.model.TernaryModel;
import org.setun.model.Workspace;
import org.setun.tensor.ScreenMatrix;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * What share of a decoding step with one thread is not spent in the ternary products and the estimates of a float head: norms,
 * quantisation, gates, recurrence or attention, and choosing among the logits. {@code restPercent} of an iteration is the mean over
 * its steps; the summary at the end is the sum of all iterations.
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args=StepPartsBenchmark</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx4g"})
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters, load() the rest
public class StepPartsBenchmark {

    /** The shape: see {@code setun bench --shape}. */
    @Param({"bitnet-2b4t", "mmfree-2.7b"})
    public String shape;

    /** Tokens that the sequence had before. */
    @Param({"32", "2000"})
    public int position;

    private final ProductTime productTime = new ProductTime();
    private TernaryModel model;
    private Workspace workspace;
    private Batch batch;

    /** The share of the steps' time that is left. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Rest {
        private long stepNanos;
        private long productNanos;

        /** Returns the percentage of an iteration's time outside the products. */
        public double restPercent() {
            return stepNanos == 0 ? 0 : 100.0 * (stepNanos - productNanos) / stepNanos;
        }

        /** Begins an iteration. */
        @Setup(Level.Iteration)
        public void clear() {
            stepNanos = 0;
            productNanos = 0;
        }
    }

    /** Loads the model. */
    @Setup
    public void load() {
        Kernels plain = KernelSelection.select(KernelSelection.AUTO, 1);
        Kernels timed = new Kernels(
                new TimedTernary(plain.ternary(), productTime),
                plain.sparse(),
                plain.floating(),
                plain.matrices(),
                new TimedScreen(plain.screen(), productTime),
                plain.attention(),
                plain.retrieval(),
                plain.experts(),
                plain.workers());
        LoadOptions options = new LoadOptions(KeyValueFormat.F32, OptionalDouble.of(0), HeadMode.AUTO);
        model = ModelLoader.random(NamedShape.named(shape).orElseThrow(), timed, options)
                .model();
        workspace = model.newWorkspace(128, 1);
        SequenceState state = SequenceState.allocate(model.stateLayout(), position + 1, Arena.global());
        for (int from = 0; from < position; from += 128) {
            int[] text = new int[Math.min(128, position - from)];
            for (int i = 0; i < text.length; i++) {
                text[i] = from + i;
            }
            model.forward(Batch.of(new Chunk(state, from, text, Chunk.Wanted.NONE)), workspace);
        }
        CandidateRule likeliest = new CandidateRule.Best(1);
        batch = Batch.of(new Chunk(state, position, new int[] {7}, Chunk.Wanted.LAST, 0, likeliest));
    }

    /** Runs one step. */
    @Benchmark
    public float decodeStep(Rest rest) {
        productTime.nanos = 0;
        long start = System.nanoTime();
        model.forward(batch, workspace);
        rest.stepNanos += System.nanoTime() - start;
        rest.productNanos += productTime.nanos;
        return workspace.logits()[0];
    }

    /** Frees the model. */
    @TearDown
    public void free() {
        model.close();
    }

    private static final class ProductTime {
        private long nanos;
    }

    private record TimedTernary(TernaryKernel kernel, ProductTime time) implements TernaryKernel {

        @Override
        public String name() {
            return kernel.name();
        }

        @Override
        public TernaryLayout layout(int threads) {
            return kernel.layout(threads);
        }

        @Override
        public ColumnPolicy columnPolicy() {
            return kernel.columnPolicy();
        }

        @Override
        public void multiply(
                TernaryMatrix weights,
                QuantizedActivations activations,
                int tokens,
                int fromRow,
                int toRow,
                int[] sums) {
            long start = System.nanoTime();
            kernel.multiply(weights, activations, tokens, fromRow, toRow, sums);
            time.nanos += System.nanoTime() - start;
        }
    }

    private record TimedScreen(ScreenKernel kernel, ProductTime time) implements ScreenKernel {

        @Override
        public String name() {
            return kernel.name();
        }

        @Override
        public void estimate(
                ScreenMatrix matrix, Inputs inputs, int fromPanel, int toPanel, float[] estimates, float[] bounds) {
            long start = System.nanoTime();
            kernel.estimate(matrix, inputs, fromPanel, toPanel, estimates, bounds);
            time.nanos += System.nanoTime() - start;
        }
    }
}
