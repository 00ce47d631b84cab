package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.setun.model.RandomModel.Convolution;
import org.setun.model.RandomModel.Shape;

/** What a sequence asks for and what the layers do by themselves meet in every product, whatever runs beside it. */
final class ActivationSparsityTest {

    private static final long SEED = 20261125;
    private static final int LENGTH = 21;
    private static final int VOCAB = 101;

    private static final Shape RECURRENT = new Shape(VOCAB, 64, 64, 288, 2, Convolution.NONE, false, null);
    private static final Shape MIXED =
            new Shape(VOCAB, 48, 48, 72, 4, Convolution.SEPARATE, true, new Attention.Heads(6, 2, 8));

    private static final Sparsity DENSE = new Sparsity.Dense();
    private static final Sparsity TOP = new Sparsity.TopK(0.5);
    private static final Sparsity BLOCKS = new Sparsity.BlockTopK(4, 8);

    static Stream<Arguments> modelsAndThreads() {
        return Stream.of(RECURRENT, MIXED)
                .flatMap(shape -> Stream.of(DENSE, TOP, BLOCKS)
                        .flatMap(sparsity ->
                                IntStream.of(1, 2, 4).mapToObj(threads -> Arguments.of(shape, sparsity, threads))));
    }

    @ParameterizedTest
    @MethodSource("modelsAndThreads")
    void neighboursOfOtherSparsityAndChunksChangeNothing(Shape shape, Sparsity sparsity, int threads) {
        double[] requested = {0, 0.3, 0.6, 0.9, 0};
        SplittableRandom random = new SplittableRandom(SEED);
        List<int[]> sequences =
                Stream.generate(() -> tokens(random)).limit(requested.length).toList();
        List<List<float[]>> alone = new ArrayList<>();
        try (TernaryModel scalar = RandomModel.of(shape, sparsity, false, SEED, KernelSelection.select("scalar", 1))) {
            for (int i = 0; i < requested.length; i++) {
                alone.add(run(scalar, sequences.get(i), requested[i], LENGTH));
            }
        }
        for (String kernel : List.of("scalar", "auto")) {
            for (boolean byColumns : new boolean[] {false, true}) {
                try (TernaryModel model =
                        RandomModel.of(shape, sparsity, byColumns, SEED, KernelSelection.select(kernel, threads))) {
                    assertThat(together(model, sequences, requested, random))
                            .as("%s kernel, weights by columns: %s", kernel, byColumns)
                            .usingRecursiveComparison()
                            .isEqualTo(alone);
                    assertThat(run(model, sequences.get(2), requested[2], 1))
                            .as("%s kernel, weights by columns: %s, token by token", kernel, byColumns)
                            .usingRecursiveComparison()
                            .isEqualTo(alone.get(2));
                }
            }
        }
    }

    @Test
    void aDenseModelComputesForARequestWhatASparseOneDoesByItself() {
        assertSameLogits(DENSE, 0.75, new Sparsity.TopK(0.25));
    }

    @Test
    void aRequestForMoreSparsityThanTheModelsIsHeeded() {
        assertSameLogits(TOP, 0.75, new Sparsity.TopK(0.25));
        assertSameLogits(BLOCKS, 0.75, new Sparsity.BlockTopK(2, 8));
    }

    @Test
    void aRequestForLessSparsityThanTheModelsGetsTheModels() {
        assertSameLogits(TOP, 0.25, TOP);
        assertSameLogits(BLOCKS, 0.25, BLOCKS);
    }

    @Test
    void sparsityChangesTheLogits() {
        assertThat(logits(RECURRENT, DENSE, 0.75)).isNotEqualTo(logits(RECURRENT, DENSE, 0));
        assertThat(logits(RECURRENT, TOP, 0)).isNotEqualTo(logits(RECURRENT, DENSE, 0));
    }

    @Test
    void theOutputHeadKeepsAllActivations() {
        Shape headAlone = new Shape(VOCAB, 64, 64, 288, 0, Convolution.NONE, false, null);

        assertThat(logits(headAlone, DENSE, 0.9)).isEqualTo(logits(headAlone, DENSE, 0));
    }

    @Test
    void elementsAndZerosOfEveryLayerAreCounted() {
        int tokens = 5;
        // Input, forget and gate projection with a norm each, output, gate with up, down.
        long elements = tokens * (3L * 64 + 64 + 64 + 288);
        long kept = tokens * (3L * 16 + 16 + 16 + 72);
        try (TernaryModel model = RandomModel.of(
                        RECURRENT, new Sparsity.TopK(0.25), true, SEED, KernelSelection.select("auto", 2));
                Arena arena = Arena.ofShared()) {
            Workspace workspace = model.newWorkspace(tokens, tokens);
            SequenceState state = SequenceState.allocate(model.stateLayout(), LENGTH, arena);
            Chunk chunk = new Chunk(state, 0, new int[] {1, 2, 3, 4, 5}, Chunk.Wanted.ALL);
            model.forward(Batch.of(chunk), workspace);

            PassCounts counts = workspace.counts();
            for (int layer = 0; layer < 2; layer++) {
                assertThat(count(counts, layer, Measure.ELEMENTS)).isEqualTo(elements);
                // A few of the largest quarter may be zero by themselves, where a token's largest value stands out.
                assertThat(count(counts, layer, Measure.ZEROS))
                        .isBetween(elements - kept, elements - kept + elements / 50);
            }
            long before = count(counts, 1, Measure.ZEROS);
            model.forward(Batch.of(new Chunk(state, 5, new int[] {6}, Chunk.Wanted.NONE, 0.99)), workspace);
            assertThat(count(counts, 1, Measure.ELEMENTS)).isEqualTo(elements + elements / tokens);
            // 6 times 1 out of 64, or 3 out of 288.
            assertThat(count(counts, 1, Measure.ZEROS) - before)
                    .isBetween(elements / tokens - 5 - 3, elements / tokens);
        }
    }

    private static long count(PassCounts counts, int layer, Measure measure) {
        return IntStream.range(0, counts.places().size())
                .filter(place -> counts.places().get(place).layer() == layer)
                .mapToLong(place -> counts.count(place, measure))
                .sum();
    }

    private static void assertSameLogits(Sparsity model, double requested, Sparsity expected) {
        for (Shape shape : List.of(RECURRENT, MIXED)) {
            assertThat(logits(shape, model, requested)).isEqualTo(logits(shape, expected, 0));
        }
    }

    private static float[][] logits(Shape shape, Sparsity sparsity, double requested) {
        try (TernaryModel model = RandomModel.of(shape, sparsity, true, SEED, KernelSelection.select("auto", 2))) {
            return run(model, tokens(new SplittableRandom(SEED)), requested, 7).toArray(float[][]::new);
        }
    }

    private static List<float[]> run(TernaryModel model, int[] tokens, double requested, int chunkSize) {
        try (Arena arena = Arena.ofShared()) {
            SequenceState state = SequenceState.allocate(model.stateLayout(), LENGTH, arena);
            Workspace workspace = model.newWorkspace(chunkSize, chunkSize);
            List<float[]> logits = new ArrayList<>();
            for (int start = 0; start < LENGTH; start += chunkSize) {
                int[] part = Arrays.copyOfRange(tokens, start, Math.min(start + chunkSize, LENGTH));
                model.forward(Batch.of(new Chunk(state, start, part, Chunk.Wanted.ALL, requested)), workspace);
                for (int row = 0; row < part.length; row++) {
                    logits.add(row(workspace, row));
                }
            }
            return logits;
        }
    }

    /** Runs sequences side by side, a random number of tokens of each in a step. */
    private static List<List<float[]>> together(
            TernaryModel model, List<int[]> sequences, double[] requested, SplittableRandom random) {
        int count = sequences.size();
        List<List<float[]>> logits =
                Stream.<List<float[]>>generate(ArrayList::new).limit(count).toList();
        try (Arena arena = Arena.ofShared()) {
            List<SequenceState> states = Stream.generate(
                            () -> SequenceState.allocate(model.stateLayout(), LENGTH, arena))
                    .limit(count)
                    .toList();
            Workspace workspace = model.newWorkspace(count * 3, count * 3);
            while (logits.stream().anyMatch(rows -> rows.size() < LENGTH)) {
                List<Chunk> chunks = new ArrayList<>();
                List<List<float[]>> targets = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    int done = logits.get(i).size();
                    int end = Math.min(LENGTH, done + random.nextInt(4));
                    if (end > done) {
                        int[] part = Arrays.copyOfRange(sequences.get(i), done, end);
                        chunks.add(new Chunk(states.get(i), done, part, Chunk.Wanted.ALL, requested[i]));
                        targets.add(logits.get(i));
                    }
                }
                if (!chunks.isEmpty()) {
                    model.forward(new Batch(chunks), workspace);
                    int row = 0;
                    for (int c = 0; c < chunks.size(); c++) {
                        for (int t = 0; t < chunks.get(c).tokens().length; t++) {
                            targets.get(c).add(row(workspace, row++));
                        }
                    }
                }
            }
        }
        return logits;
    }

    private static float[] row(Workspace workspace, int row) {
        int from = workspace.logitsOffset(row);
        return Arrays.copyOfRange(workspace.logits(), from, from + VOCAB);
    }

    private static int[] tokens(SplittableRandom random) {
        return random.ints(LENGTH, 0, VOCAB).toArray();
    }
}
