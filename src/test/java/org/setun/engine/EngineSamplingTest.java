package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.kernel.KernelSelection;
import org.setun.model.Model;
import org.setun.model.RandomModel;
import org.setun.sampling.Cuts;
import org.setun.sampling.Dry;
import org.setun.sampling.DynamicTemperature;
import org.setun.sampling.Mirostat;
import org.setun.sampling.Penalties;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.SequenceBreakers;
import org.setun.sampling.TokenBias;
import org.setun.sampling.Xtc;

/** Sampling that looks at a sequence's past is the sequence's own affair. */
@Timeout(120)
final class EngineSamplingTest {

    private static final int VOCAB = 97;
    private static final int KINDS = 11;

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 3", "3, 10", "8, 9", "8, 64", "32, 500"})
    void aRequestGivesTheSameTokensAloneAndAmongOthers(int maxSequences, int maxBatchTokens) throws Exception {
        long seed = 4712;
        List<TokenRequest> requests = requests(new Random(seed), VOCAB, 5 * KINDS);
        ScriptedModel model = new ScriptedModel(VOCAB);
        List<List<Integer>> alone = new ArrayList<>();
        for (TokenRequest request : requests) {
            alone.add(run(model, 1, 1000, List.of(request)).getFirst());
        }
        assertThat(run(model, maxSequences, maxBatchTokens, requests))
                .as("seed %d", seed)
                .isEqualTo(alone);
    }

    @Test
    void givingWayAndComingBackChangesNoToken() throws Exception {
        List<TokenRequest> requests = requests(new Random(4713), VOCAB, 5 * KINDS);
        List<List<Integer>> undisturbed = run(new ScriptedModel(VOCAB), 8, 64, requests);
        int completed = IntStream.range(0, requests.size())
                .map(i -> requests.get(i).prompt().length + undisturbed.get(i).size() - 1)
                .sum();
        AtomicInteger computed = new AtomicInteger();
        ScriptedModel model = ScriptedModel.paged(VOCAB, batch -> computed.addAndGet(batch.tokens()));
        // Thirty pages of four tokens; one sequence has up to 69 tokens.
        EngineSettings scarce = Settings.of(256, 8, 16, 480, Duration.ofSeconds(20));
        assertThat(run(model, scarce, requests)).isEqualTo(undisturbed);
        assertThat(computed.get()).as("tokens, some computed again").isGreaterThan(completed);
    }

    @Test
    void aKnownBeginningChangesNoToken() throws Exception {
        List<TokenRequest> requests = requests(new Random(4714), VOCAB, 5 * KINDS);
        List<List<Integer>> undisturbed = run(new ScriptedModel(VOCAB), 8, 64, requests);
        List<TokenRequest> twice = new ArrayList<>(requests);
        twice.addAll(requests);
        List<List<Integer>> expected = new ArrayList<>(undisturbed);
        expected.addAll(undisturbed);
        assertThat(run(new ScriptedModel(VOCAB), Settings.cached(4, 16, 0, 100_000), twice))
                .isEqualTo(expected);
    }

    @Test
    void aScreenedHeadChangesNoToken() throws Exception {
        int vocabSize = 4000;
        RandomModel.Shape shape =
                new RandomModel.Shape(vocabSize, 64, 64, 128, 2, RandomModel.Convolution.NONE, true, null);
        List<TokenRequest> requests = requests(new Random(32), vocabSize, 4 * KINDS);
        List<List<Integer>> exact;
        try (Model model = RandomModel.of(shape, 11, KernelSelection.select("auto", 2))) {
            exact = run(model, 16, 32, requests);
        }
        try (Model model = RandomModel.screened(shape, 11, KernelSelection.select("auto", 2))) {
            assertThat(run(model, 16, 32, requests)).isEqualTo(exact);
        }
    }

    @Test
    void noStopTokenComesBeforeTheLeastNumberOfTokens() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = {7, 8};
        // With every second token a stop token, a sequence ends soon where it may.
        Set<Integer> stops = Set.copyOf(
                new Random(1).ints(0, VOCAB).distinct().limit(48).boxed().toList());
        for (SamplingParameters sampling : List.of(
                SamplingParameters.GREEDY,
                new SamplingParameters(2, 0, 1, OptionalLong.of(3)),
                new SamplingParameters(2, 20, 0.9, OptionalLong.of(3)))) {
            TokenRequest free = new TokenRequest("free", prompt, 60, sampling, stops);
            TokenRequest held = new TokenRequest(
                    "held", prompt, new Ending(60, 20, stops), sampling, Details.NONE, Urgency.NORMAL, 0);
            List<List<Integer>> tokens = run(model, 4, 16, List.of(free, held));
            assertThat(tokens.getFirst()).hasSizeLessThan(20);
            assertThat(tokens.getLast()).hasSizeBetween(21, 59);
            assertThat(tokens.getLast().subList(0, 20)).doesNotContainAnyElementsOf(stops);
            assertThat(stops).contains(tokens.getLast().getLast());
        }
    }

    @Test
    void greedyTokensWithAPenaltyDoNotComeTwice() throws Exception {
        // The script's favourite is 0.5 above all others, which lie between 0 and 1: a penalty of 2 is more than any of
        // these.
        SamplingParameters sampling =
                SamplingParameters.GREEDY.withPenalties(new Penalties(1, 2, 0, OptionalInt.empty()));
        int[] prompt = {1, 2, 3};
        TokenRequest request = new TokenRequest("once", prompt, VOCAB, sampling, Set.of());
        assertThat(run(new ScriptedModel(VOCAB), 1, 8, List.of(request)).getFirst())
                .hasSize(VOCAB)
                .doesNotHaveDuplicates();
    }

    /** Returns requests of every kind in turn. */
    private static List<TokenRequest> requests(Random random, int vocabSize, int count) {
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // Few different tokens, so that there is something to repeat.
            int[] prompt = random.ints(1 + random.nextInt(40), 0, 12).toArray();
            int maxTokens = 1 + random.nextInt(30);
            Ending ending =
                    new Ending(maxTokens, random.nextInt(maxTokens), Set.of(20 + random.nextInt(vocabSize - 20), 1, 2));
            requests.add(new TokenRequest(
                    "request " + i,
                    prompt,
                    ending,
                    sampling(i % KINDS, random, vocabSize),
                    Details.NONE,
                    Urgency.NORMAL,
                    0));
        }
        return requests;
    }

    private static SamplingParameters sampling(int kind, Random random, int vocabSize) {
        SamplingParameters plain =
                new SamplingParameters(0.2 + random.nextDouble(), 0, 1, OptionalLong.of(random.nextLong()));
        Penalties penalties = new Penalties(1.3, 0.5, 0.3, OptionalInt.empty());
        return switch (kind) {
            case 0 -> SamplingParameters.GREEDY.withPenalties(penalties);
            case 1 -> plain.withPenalties(new Penalties(1.3, 0.5, 0.3, OptionalInt.of(20)));
            case 2 -> plain.withMirostat(new Mirostat(1, 3, 0.2));
            case 3 -> plain.withMirostat(new Mirostat(2, 3, 0.2)).withPenalties(penalties);
            case 4 -> plain.withXtc(new Xtc(0.5, 0.01)).withCuts(new Cuts(10, 1, 0, 1));
            case 5 -> plain.withDry(new Dry(1, 1.5, 1, 50, new SequenceBreakers(List.of(List.of(3), List.of(4, 5)))));
            case 6 -> plain.withCuts(new Cuts(0, 0.9, 0.05, 1)).withDynamicTemperature(new DynamicTemperature(0.2, 1));
            case 7 -> plain.withCuts(new Cuts(0, 1, 0.1, random.nextBoolean() ? 1 : 0.8));
            case 8 -> SamplingParameters.GREEDY.withBias(new TokenBias(Map.of(3, -1f, 4, -100f), List.of(List.of(6))));
            case 9 ->
                plain.withCuts(new Cuts(6, 0.9, 0, 1))
                        .withBias(new TokenBias(Map.of(2, Float.NEGATIVE_INFINITY), List.of()));
            default ->
                plain.withBias(
                        new TokenBias(Map.of(random.nextInt(vocabSize), 2f, 1, Float.NEGATIVE_INFINITY), List.of()));
        };
    }

    /** Runs all requests at once and returns their tokens. */
    private static List<List<Integer>> run(
            Model model, int maxSequences, int maxBatchTokens, List<TokenRequest> requests) throws Exception {
        return run(model, Settings.of(256, maxSequences, maxBatchTokens, 0, Duration.ofSeconds(20)), requests);
    }

    private static List<List<Integer>> run(Model model, EngineSettings settings, List<TokenRequest> requests)
            throws Exception {
        try (Engine engine = new Engine(model, settings, EngineObserver.NONE)) {
            List<Recording> recordings = new ArrayList<>();
            for (TokenRequest request : requests) {
                Recording recording = new Recording();
                engine.submit(request, recording);
                recordings.add(recording);
            }
            List<List<Integer>> tokens = new ArrayList<>();
            for (Recording recording : recordings) {
                recording.finished();
                tokens.add(recording.ids());
            }
            return tokens;
        }
    }
}
