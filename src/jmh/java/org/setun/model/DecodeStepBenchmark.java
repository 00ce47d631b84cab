package org.setun.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.setun.kernel.KernelSelection;

/**
 * One whole decode step of the MMfreeLM-370M shape with random weights: embedding, 24 layers and the head for one token of
 * each sequence in the batch. The weights (about 90 MB packed) exceed the caches of most cores, so a step reads them from
 * memory.
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args=DecodeStepBenchmark</pre>
 *
 * What counting costs, which is to be less than a hundredth:
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args='DecodeStepBenchmark -p counting=false,true -p activationSparsity=0,0.9'</pre>
 *
 * How it bears other processes that compute; two threads beside one of them on two cores should be about as fast as one thread alone:
 *
 * <pre>./mvnw -q test-compile exec:exec@jmh -Djmh.args='DecodeStepBenchmark -p sequences=1 -p busyProcesses=0,1,2'</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters, load() the rest
public class DecodeStepBenchmark {

    /** Threads that share the step. */
    @Param({"1", "2"})
    public int threads;

    /** Sequences that decode together. */
    @Param({"1", "8"})
    public int sequences;

    /** The fraction of activations that the sequences ask to drop; above 0 the layers keep their weights by columns as well. */
    @Param("0")
    public double activationSparsity;

    /** The arithmetic: see {@code setun.engine.kernel}. */
    @Param("auto")
    public String kernel;

    /** Whether what the step does is counted, for all and for each sequence, as an engine has it. */
    @Param("true")
    public boolean counting;

    /** Other processes that compute all the time. */
    @Param("0")
    public int busyProcesses;

    private final List<Process> others = new ArrayList<>();

    private TernaryModel model;
    private Workspace workspace;
    private List<PassCounts> counts;
    private Batch batch;

    /** Counts tokens instead of steps. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Counter {
        /** Tokens decoded; JMH reports them a second. */
        public long tokens;
    }

    @Setup
    public void load() {
        model = RandomModel.of(
                RandomModel.Shape.MMFREE_370M,
                new Sparsity.Dense(),
                activationSparsity > 0,
                1,
                KernelSelection.select(kernel, threads));
        workspace = counting
                ? model.newWorkspace(sequences, sequences)
                : model.newWorkspace(sequences, sequences, PassCounter.off());
        counts = Stream.generate(() -> new PassCounts(workspace.counts().places()))
                .limit(sequences)
                .toList();
        List<Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            SequenceState state = SequenceState.allocate(model.stateLayout(), 1, Arena.global());
            chunks.add(new Chunk(state, 0, new int[] {1 + i}, Chunk.Wanted.LAST, activationSparsity));
        }
        batch = new Batch(chunks);
    }

    /** Starts the other processes. */
    @Setup
    public void startOthers() throws IOException {
        for (int i = 0; i < busyProcesses; i++) {
            others.add(new ProcessBuilder("sh", "-c", "while :; do :; done").start());
        }
    }

    /** Ends them. */
    @TearDown
    public void endOthers() {
        others.forEach(Process::destroyForcibly);
    }

    @Benchmark
    public float decodeStep(Counter counter) {
        model.forward(batch, workspace);
        for (int i = 0; i < sequences; i++) {
            workspace.addChunkCounts(counts.get(i), i);
        }
        counter.tokens += sequences;
        return workspace.logits()[0];
    }

    @TearDown
    public void free() {
        model.close();
    }
}
