package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;

/** A screened head leaves out only what cannot be chosen, and gives the exact head's bits for the rest. */
final class ScreenedHeadTest {

    private static final int VOCAB = 5000;
    private static final List<Chunk.Wanted> WANTED = List.of(Chunk.Wanted.values());
    private static final RandomModel.Shape SHAPE =
            new RandomModel.Shape(VOCAB, 64, 64, 128, 2, RandomModel.Convolution.NONE, true, null);

    @ParameterizedTest
    @ValueSource(strings = {"auto", "scalar"})
    void theLogitsThatMatterAreThoseOfTheExactHead(String kernel) {
        for (int threads = 1; threads <= 3; threads++) {
            Kernels kernels = KernelSelection.select(kernel, threads);
            try (TernaryModel model = RandomModel.screened(SHAPE, 5, kernels)) {
                Random random = new Random(threads);
                for (int round = 0; round < 10; round++) {
                    compare(model, random);
                }
            }
        }
    }

    private static void compare(TernaryModel model, Random random) {
        int sequences = 1 + random.nextInt(7);
        Workspace workspace = model.newWorkspace(3 * sequences, 3 * sequences);
        Workspace exact = model.newWorkspace(3 * sequences, 3 * sequences);
        try (Arena arena = Arena.ofShared()) {
            List<Chunk> chunks = new ArrayList<>();
            List<Chunk> plain = new ArrayList<>();
            List<CandidateRule> rules = new ArrayList<>();
            for (int i = 0; i < sequences; i++) {
                int[] tokens = random.ints(3, 0, VOCAB).toArray();
                CandidateRule rule = switch (random.nextInt(6)) {
                    case 0 -> new CandidateRule.All();
                    case 1 -> new CandidateRule.Best(1);
                    case 2 -> new CandidateRule.Best(1 + random.nextInt(40));
                    case 3 -> new CandidateRule.Perturbed(random.nextDouble(0.1, 2), new TableNoise(random, 64));
                    case 4 -> new CandidateRule.Near(random.nextInt(4) == 0 ? 0 : random.nextDouble(3));
                    // Logits of this head have a deviation of 1: without a low temperature, all would count.
                    default -> new CandidateRule.Nucleus(random.nextDouble(0.03, 0.4), random.nextDouble(0.1, 0.99));
                };
                Chunk.Wanted wanted = rule instanceof CandidateRule.Perturbed
                        ? Chunk.Wanted.LAST
                        : WANTED.get(random.nextInt(WANTED.size()));
                chunks.add(new Chunk(state(model, arena), 0, tokens, wanted, 0, rule));
                Chunk chunk = new Chunk(state(model, arena), 0, tokens, wanted);
                plain.add(chunk);
                for (int row = 0; row < chunk.logitRows(); row++) {
                    rules.add(rule);
                }
            }
            model.forward(new Batch(chunks), workspace);
            model.forward(new Batch(plain), exact);
            for (int row = 0; row < rules.size(); row++) {
                float[] all = row(exact, row);
                check(rules.get(row), workspace.candidates(row), row(workspace, row), all);
                model.completeLogits(workspace, row);
                assertThat(workspace.candidates(row).areAll()).isTrue();
                assertThat(row(workspace, row)).isEqualTo(all);
            }
        }
    }

    private static SequenceState state(TernaryModel model, Arena arena) {
        return SequenceState.allocate(model.stateLayout(), 3, arena);
    }

    private static float[] row(Workspace workspace, int row) {
        int offset = workspace.logitsOffset(row);
        return Arrays.copyOfRange(workspace.logits(), offset, offset + VOCAB);
    }

    private static void check(CandidateRule rule, Candidates candidates, float[] found, float[] exact) {
        if (rule instanceof CandidateRule.All) {
            assertThat(candidates.areAll()).isTrue();
        }
        if (candidates.areAll()) {
            assertThat(found).isEqualTo(exact);
            return;
        }
        int[] ids = Arrays.copyOf(candidates.ids(), candidates.count());
        assertThat(ids).isSorted().doesNotHaveDuplicates();
        for (int id : ids) {
            assertThat(found[id]).as("token %d", id).isEqualTo(exact[id]);
        }
        int[] omitted = IntStream.range(0, VOCAB)
                .filter(id -> Arrays.binarySearch(ids, id) < 0)
                .toArray();
        double largest =
                IntStream.range(0, VOCAB).mapToDouble(id -> exact[id]).max().orElseThrow();
        for (int id : omitted) {
            assertThat(exact[id]).as("token %d", id).isLessThan(candidates.omittedBelow());
        }
        switch (rule) {
            case CandidateRule.All all -> {}
            case CandidateRule.Best best -> {
                float[] sorted = exact.clone();
                Arrays.sort(sorted);
                float last = sorted[VOCAB - best.count()];
                assertThat(ids)
                        .contains(IntStream.range(0, VOCAB)
                                .filter(id -> exact[id] >= last)
                                .toArray());
            }
            case CandidateRule.Near near ->
                assertThat(ids)
                        .contains(IntStream.range(0, VOCAB)
                                .filter(id -> exact[id] >= largest - near.distance())
                                .toArray());
            case CandidateRule.Perturbed perturbed -> {
                assertThat(candidates.omittedMass()).isZero();
                assertThat(ids)
                        .contains(IntStream.range(0, VOCAB)
                                .boxed()
                                .max(Comparator.comparingDouble(id -> exact[id] / perturbed.temperature()
                                        + perturbed.noise().of(id)))
                                .orElseThrow());
            }
            case CandidateRule.Nucleus nucleus ->
                assertThat(Arrays.stream(omitted)
                                .mapToDouble(id -> Math.exp((exact[id] - largest) / nucleus.temperature()))
                                .sum())
                        .isLessThanOrEqualTo(candidates.omittedMass())
                        .isLessThan(0.01);
        }
    }

    /** Noise of a Gumbel distribution from a table. */
    private record TableNoise(double[] values, int block) implements CandidateRule.Noise {

        TableNoise(Random random, int block) {
            this(
                    random.doubles(VOCAB, Double.MIN_NORMAL, 1)
                            .map(u -> -Math.log(-Math.log(u)))
                            .toArray(),
                    block);
        }

        @Override
        public double largest(int index) {
            return Arrays.stream(values, index * block, Math.min(VOCAB, (index + 1) * block))
                    .max()
                    .orElseThrow();
        }

        @Override
        public double of(int id) {
            return values[id];
        }
    }

    @Test
    void mostTokensAreLeftOut() {
        try (TernaryModel model = RandomModel.screened(SHAPE, 5, KernelSelection.select("auto", 1));
                Arena arena = Arena.ofShared()) {
            Workspace workspace = model.newWorkspace(1, 1);
            for (CandidateRule rule : List.of(
                    new CandidateRule.Best(1),
                    new CandidateRule.Best(9),
                    new CandidateRule.Perturbed(1, new TableNoise(new Random(3), 64)),
                    new CandidateRule.Nucleus(0.1, 0.9))) {
                Chunk chunk = new Chunk(state(model, arena), 0, new int[] {7}, Chunk.Wanted.LAST, 0, rule);
                model.forward(Batch.of(chunk), workspace);
                assertThat(workspace.candidates(0).areAll()).as("%s", rule).isFalse();
                assertThat(workspace.candidates(0).count()).as("%s", rule).isBetween(1, VOCAB / 8);
            }
        }
    }

    @Test
    void whatCannotBeScreenedIsComputed() {
        try (TernaryModel model = RandomModel.screened(SHAPE, 5, KernelSelection.select("auto", 1));
                Arena arena = Arena.ofShared()) {
            Workspace workspace = model.newWorkspace(1, 1);
            for (CandidateRule rule : List.of(
                    new CandidateRule.All(),
                    new CandidateRule.Best(VOCAB / 2),
                    new CandidateRule.Perturbed(1, new TableNoise(new Random(3), 32)),
                    new CandidateRule.Nucleus(1000, 0.5))) {
                Chunk chunk = new Chunk(state(model, arena), 0, new int[] {7}, Chunk.Wanted.LAST, 0, rule);
                model.forward(Batch.of(chunk), workspace);
                assertThat(workspace.candidates(0).areAll()).as("%s", rule).isTrue();
            }
        }
    }
}
