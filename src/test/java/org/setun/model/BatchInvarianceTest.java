package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.RandomModel.Convolution;
import org.setun.model.RandomModel.Shape;

/** A sequence's logits and state depend on its tokens alone: not on chunks, neighbours, threads or kernels. */
final class BatchInvarianceTest {

    private static final long SEED = 20261123;
    /** More than a page of attention. */
    private static final int LENGTH = 43;

    static Stream<Shape> shapes() {
        return Stream.of(
                new Shape(101, 64, 64, 96, 3, Convolution.NONE, false, null),
                new Shape(101, 40, 56, 72, 2, Convolution.SHARED, false, null),
                new Shape(101, 40, 24, 72, 2, Convolution.SEPARATE, true, null),
                new Shape(101, 48, 48, 72, 4, Convolution.NONE, true, new Attention.Heads(6, 2, 10)));
    }

    static Stream<Arguments> shapesAndThreads() {
        return shapes().flatMap(shape -> IntStream.of(1, 2, 4).mapToObj(threads -> Arguments.of(shape, threads)));
    }

    @ParameterizedTest
    @MethodSource("shapesAndThreads")
    void chunksOfAnySizeGiveTheSameBits(Shape shape, int threads) {
        int[] tokens = tokens(new SplittableRandom(SEED), LENGTH);
        try (TernaryModel scalar = RandomModel.of(shape, SEED, KernelSelection.select("scalar", 1));
                TernaryModel model = RandomModel.of(shape, SEED, KernelSelection.select("auto", threads))) {
            Trace whole = run(scalar, tokens, LENGTH);
            for (int chunk : new int[] {1, 2, 3, 7, LENGTH - 1, LENGTH}) {
                assertThat(run(model, tokens, chunk)).as("chunks of %d", chunk).isEqualTo(whole);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("shapesAndThreads")
    void neighboursInTheBatchChangeNothing(Shape shape, int threads) {
        Kernels kernels = KernelSelection.select("auto", threads);
        SplittableRandom random = new SplittableRandom(SEED);
        try (TernaryModel model = RandomModel.of(shape, SEED, kernels);
                Arena arena = Arena.ofShared()) {
            List<int[]> sequences = new ArrayList<>();
            List<Trace> alone = new ArrayList<>();
            List<SequenceState> states = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                sequences.add(tokens(random, LENGTH));
                alone.add(run(model, sequences.get(i), LENGTH));
                states.add(emptyState(model, arena));
            }
            Workspace workspace = model.newWorkspace(5 * LENGTH, 5 * LENGTH);
            int[] done = new int[5];
            List<List<float[]>> logits =
                    Stream.<List<float[]>>generate(ArrayList::new).limit(5).toList();
            while (IntStream.of(done).sum() < 5 * LENGTH) {
                List<Integer> order = new ArrayList<>();
                List<Chunk> chunks = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    int count = Math.min(random.nextInt(6), LENGTH - done[i]);
                    if (count > 0) {
                        int[] part = Arrays.copyOfRange(sequences.get(i), done[i], done[i] + count);
                        chunks.add(new Chunk(states.get(i), done[i], part, Chunk.Wanted.ALL));
                        order.add(i);
                        done[i] += count;
                    }
                }
                if (chunks.isEmpty()) {
                    continue;
                }
                model.forward(new Batch(chunks), workspace);
                int row = 0;
                for (int c = 0; c < chunks.size(); c++) {
                    for (int t = 0; t < chunks.get(c).tokens().length; t++) {
                        logits.get(order.get(c)).add(row(model, workspace, row++));
                    }
                }
            }
            for (int i = 0; i < 5; i++) {
                assertThat(new Trace(logits.get(i), states.get(i))).isEqualTo(alone.get(i));
            }
        }
    }

    @Test
    void lastRowsAreThoseOfAllRows() {
        Shape shape = new Shape(101, 64, 64, 96, 3, Convolution.NONE, false, null);
        int[] tokens = tokens(new SplittableRandom(SEED), LENGTH);
        try (TernaryModel model = RandomModel.of(shape, SEED, KernelSelection.select("auto", 1));
                Arena arena = Arena.ofShared()) {
            Trace whole = run(model, tokens, LENGTH);
            Workspace workspace = model.newWorkspace(LENGTH + 4, 1);
            Chunk silent = new Chunk(emptyState(model, arena), 0, new int[] {1, 2, 3, 4}, Chunk.Wanted.NONE);
            Chunk last = new Chunk(emptyState(model, arena), 0, tokens, Chunk.Wanted.LAST);
            model.forward(new Batch(List.of(silent, last)), workspace);
            assertThat(row(model, workspace, 0)).isEqualTo(whole.logits().getLast());
        }
    }

    @Test
    void aTokenOutsideTheVocabularyIsRefusedBeforeAnyStateChanges() {
        Shape shape = new Shape(101, 64, 64, 96, 1, Convolution.NONE, false, null);
        try (TernaryModel model = RandomModel.of(shape, SEED, KernelSelection.select("auto", 1));
                Arena arena = Arena.ofShared()) {
            SequenceState state = emptyState(model, arena);
            Workspace workspace = model.newWorkspace(4, 1);
            Batch batch = Batch.of(new Chunk(state, 0, new int[] {3, 101}, Chunk.Wanted.LAST));
            assertThatThrownBy(() -> model.forward(batch, workspace))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("expected token ids from 0 to 100, found 101");
            assertThat(state.recurrent().mismatch(emptyState(model, arena).recurrent()))
                    .isEqualTo(-1);
        }
    }

    /** Everything that a sequence produced; equal if all bits are. */
    private record Trace(List<float[]> logits, byte[] state) {
        Trace(List<float[]> logits, SequenceState state) {
            this(logits, state.recurrent().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Trace trace
                    && Arrays.equals(state, trace.state)
                    && Arrays.deepEquals(logits.toArray(), trace.logits.toArray());
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(state);
        }
    }

    private static Trace run(TernaryModel model, int[] tokens, int chunkSize) {
        try (Arena arena = Arena.ofShared()) {
            SequenceState state = emptyState(model, arena);
            Workspace workspace = model.newWorkspace(chunkSize, chunkSize);
            List<float[]> logits = new ArrayList<>();
            for (int start = 0; start < tokens.length; start += chunkSize) {
                int[] part = Arrays.copyOfRange(tokens, start, Math.min(start + chunkSize, tokens.length));
                model.forward(Batch.of(new Chunk(state, start, part, Chunk.Wanted.ALL)), workspace);
                for (int row = 0; row < part.length; row++) {
                    logits.add(row(model, workspace, row));
                }
            }
            return new Trace(logits, state);
        }
    }

    private static float[] row(TernaryModel model, Workspace workspace, int row) {
        int from = workspace.logitsOffset(row);
        return Arrays.copyOfRange(
                workspace.logits(), from, from + model.dimensions().vocabSize());
    }

    private static SequenceState emptyState(TernaryModel model, Arena arena) {
        return SequenceState.allocate(model.stateLayout(), LENGTH, arena);
    }

    private static int[] tokens(SplittableRandom random, int length) {
        return random.ints(length, 0, 101).toArray();
    }
}
