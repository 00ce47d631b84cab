package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.kernel.Activation;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.KeyValueFormat;
import org.setun.model.SequenceState;
import org.setun.model.TernaryModel;
import org.setun.model.Workspace;
import org.setun.tensor.TernaryLayout;

final class RandomWeightsTest {

    private static final int VOCAB = 300;
    private static final int HIDDEN = 64;
    private static final int INTERMEDIATE = 160;

    @ParameterizedTest
    @CsvSource({"true,true", "true,false", "false,true", "false,false"})
    void logitsAreAsLargeAsATrainedModelsAndTheSameOnAnyNumberOfThreads(boolean recurrent, boolean tied)
            throws Exception {
        ModelSpec spec = spec(recurrent, tied);
        float[] logits = logits(spec, 1);

        assertThat(logits(spec, 3)).isEqualTo(logits);
        double squares = 0;
        for (float logit : logits) {
            assertThat(logit).isFinite();
            squares += (double) logit * logit;
        }
        assertThat(Math.sqrt(squares / logits.length)).isBetween(0.3, 3.0);
    }

    @Test
    void aThirdOfTheTritsIsZero() throws Exception {
        try (RandomWeights weights =
                new RandomWeights(1, 7, KernelSelection.select("scalar", 1).workers())) {
            // A width that is no multiple of eight has a last, shorter run.
            int columns = 1003;
            TernarySource source = weights.ternary(new CanonicalTensor.Linear(
                    "mixer.i_proj", 100, columns, LinearStorage.U2_ROWS, Optional.of(new SparsitySpec.Dense())));
            int[] counts = new int[3];
            byte[] row = new byte[columns + 2];
            for (int r = 0; r < 100; r++) {
                row[0] = 42;
                row[columns + 1] = 42;
                source.readRow(r, row, 1);
                assertThat(row[0]).isEqualTo((byte) 42);
                assertThat(row[columns + 1]).isEqualTo((byte) 42);
                for (int column = 1; column <= columns; column++) {
                    counts[row[column] + 1]++;
                }
            }
            for (int count : counts) {
                assertThat(count / (100.0 * columns)).isCloseTo(1 / 3.0, within(0.01));
            }
        }
    }

    @Test
    void aPassReadsTheTernaryMatricesAndTheHead() throws Exception {
        TernaryLayout layout = new TernaryLayout.Cells();
        long ternary = layout.packedBytes(HIDDEN, HIDDEN) * 4
                + layout.packedBytes(INTERMEDIATE, HIDDEN) * 2
                + layout.packedBytes(HIDDEN, INTERMEDIATE);
        assertThat(passWeightBytes(spec(true, false), 0)).isEqualTo(2 * ternary + layout.packedBytes(VOCAB, HIDDEN));
        assertThat(passWeightBytes(spec(false, true), 0)).isEqualTo(2 * ternary + 2L * VOCAB * HIDDEN);
        assertThat(passWeightBytes(spec(false, true), 0.5))
                .as("what is kept by columns too is read once")
                .isEqualTo(passWeightBytes(spec(false, true), 0));
    }

    private static long passWeightBytes(ModelSpec spec, double maxActivationSparsity) throws Exception {
        try (TernaryModel model = build(spec, 2, maxActivationSparsity)) {
            return model.passWeightBytes();
        }
    }

    private static float[] logits(ModelSpec spec, int threads) throws Exception {
        try (TernaryModel model = build(spec, threads, 0);
                Arena arena = Arena.ofShared()) {
            int[] tokens = {1, 299, 0, 17, 17, 5};
            Workspace workspace = model.newWorkspace(tokens.length, tokens.length);
            SequenceState state = SequenceState.allocate(model.stateLayout(), tokens.length, arena);
            model.forward(Batch.of(new Chunk(state, 0, tokens, Chunk.Wanted.ALL)), workspace);
            return workspace.logits().clone();
        }
    }

    // The arena becomes the model's, which closes it.
    @SuppressWarnings("MustBeClosedChecker")
    private static TernaryModel build(ModelSpec spec, int threads, double maxActivationSparsity) throws Exception {
        Kernels kernels = KernelSelection.select("scalar", threads);
        LoadOptions options =
                new LoadOptions(KeyValueFormat.F32, OptionalDouble.of(maxActivationSparsity), HeadMode.AUTO);
        try (RandomWeights weights = new RandomWeights(2, 7, kernels.workers())) {
            return new ModelBuilder(spec, weights, kernels, options, Arena.ofShared(), tensor -> {}).build();
        }
    }

    private static ModelSpec spec(boolean recurrent, boolean tied) {
        MixerSpec mixer = recurrent
                ? new MixerSpec.Mlgru(1, 1, true, Optional.empty())
                : new MixerSpec.Attention(4, 4, HIDDEN / 4, RopeSpec.of(10_000), true);
        LayerSpec.Storage packed = new LayerSpec.Storage(LinearStorage.U2_ROWS, LinearStorage.U2_COLS, Set.of());
        List<LayerSpec> layers = new ArrayList<>();
        for (Activation activation : List.of(Activation.SILU, Activation.RELU2)) {
            layers.add(new LayerSpec(
                    mixer,
                    new ChannelSpec.Glu(INTERMEDIATE, activation, !recurrent),
                    new SparsitySpec.Dense(),
                    packed));
        }
        return new ModelSpec(
                VOCAB,
                HIDDEN,
                128,
                1e-6,
                new SpecialTokens(OptionalInt.empty(), List.of(), OptionalInt.empty()),
                recurrent ? Optional.of(1e-6) : Optional.empty(),
                tied ? new HeadSpec.Tied() : new HeadSpec.Own(LinearStorage.U2_ROWS),
                layers);
    }
}
