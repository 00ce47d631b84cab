package org.setun.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What sampling parameters do that cannot be seen in one choice alone. */
final class SamplingEffectsTest {

    private static final SamplingParameters PLAIN = new SamplingParameters(1, 0, 1, OptionalLong.empty());

    @Test
    void topChoicesAreExcludedAsOftenAsAskedForAndIndependentlyOfTheDraw() {
        // Of 0.4, 0.4 and 20 times 0.01 the second alone is left of the top choices, or none is taken away.
        float[] logits = new float[22];
        for (int id = 0; id < logits.length; id++) {
            logits[id] = (float) Math.log(id < 2 ? 0.4 : 0.01);
        }
        SamplingParameters parameters = PLAIN.withXtc(new Xtc(0.5, 0.1));
        int count = 40_000;
        int[] observed = counts(logits, parameters, count);
        double[] expected = new double[logits.length];
        Arrays.fill(expected, 0.5 * 0.01 + 0.5 * 0.01 / 0.6);
        expected[0] = 0.5 * 0.4;
        expected[1] = 0.5 * 0.4 + 0.5 * 0.4 / 0.6;
        assertFollows(observed, expected, count);
    }

    @Test
    void aPenalisedDistributionIsDrawnFrom() {
        float[] logits = {1, 0.5f, -0.5f, 0, 2};
        SamplingParameters parameters = PLAIN.withPenalties(new Penalties(2, 0.5, 0.25, OptionalInt.empty()))
                .withBias(new TokenBias(Map.of(3, 1f, 4, Float.NEGATIVE_INFINITY), List.of()));
        // Token 0 stands in the prompt, 1 and 2 are in the answer, 1 twice.
        int[] tokens = {0, 1, 2, 1};
        double[] changed = {0.5, 0.25 - 0.5 - 2 * 0.25, -1 - 0.5 - 0.25, 1, Double.NEGATIVE_INFINITY};
        double sum = Arrays.stream(changed).map(Math::exp).sum();
        Sampler sampler = new Sampler(5);
        int count = 40_000;
        int[] observed = new int[5];
        for (int seed = 0; seed < count; seed++) {
            History history = new History(tokens, 1, 4, Set.of());
            observed[
                    sampler.sample(Logits.all(logits, 0, 5), parameters, seed, history, new SamplerState())
                            .orElseThrow()]++;
        }
        assertFollows(
                observed, Arrays.stream(changed).map(l -> Math.exp(l) / sum).toArray(), count);
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "1, 4", "2, 1", "2, 3", "2, 5"})
    void mirostatKeepsTheSurpriseNearItsTarget(int version, double tau) {
        // Zipf's law, for which version 1 is made, over as many tokens as a text model has.
        int vocabSize = 20_000;
        float[] logits = new float[vocabSize];
        for (int id = 0; id < vocabSize; id++) {
            logits[id] = (float) (-1.1 * Math.log(id + 1));
        }
        SamplingParameters parameters = PLAIN.withMirostat(new Mirostat(version, tau, 0.1));
        Sampler sampler = new Sampler(vocabSize);
        SamplerState state = new SamplerState();
        double surprise = 0;
        int steps = 1000;
        for (int step = 0; step < steps; step++) {
            History history = new History(new int[step + 1], 1, step + 1, Set.of());
            double limit = state.maxSurprise(parameters.mirostat());
            sampler.sample(Logits.all(logits, 0, vocabSize), parameters, 11, history, state)
                    .orElseThrow();
            // What the state learned: mu falls by eta times the error.
            surprise += tau + (limit - state.maxSurprise(parameters.mirostat())) / 0.1;
        }
        assertThat(surprise / steps).isBetween(tau - 0.3, tau + 0.3);
    }

    @Test
    @Timeout(20)
    void aLongRepetitionIsFoundInTimeThatGrowsWithItsLengthOnly() {
        // A thousand times longer than what comparing all pairs of places could do in the time.
        int[] tokens = new int[4_000_000];
        History history = new History(tokens, 1, tokens.length, Set.of());
        SamplingParameters parameters = SamplingParameters.GREEDY
                .withDry(new Dry(1, 1.75, 2, Integer.MAX_VALUE, new SequenceBreakers(List.of(List.of(7)))))
                .withPenalties(new Penalties(1.1, 0.1, 0.1, OptionalInt.empty()));
        float[] logits = {100, 1, 2};
        OptionalInt chosen =
                new Sampler(3).sample(Logits.all(logits, 0, 3), parameters, 1, history, new SamplerState());
        assertThat(chosen).hasValue(2);
    }

    @Test
    void whereEveryTokenContinuesARepetitionOneIsChosenAllTheSame() {
        int[] tokens = new int[5000];
        History history = new History(tokens, 1, tokens.length, Set.of());
        SamplingParameters parameters = PLAIN.withDry(new Dry(100, 100, 1, Integer.MAX_VALUE, SequenceBreakers.NONE));
        assertThat(new Sampler(1).sample(Logits.all(new float[1], 0, 1), parameters, 1, history, new SamplerState()))
                .hasValue(0);
    }

    @Test
    void aRepetitionEndsAtABreakerAndABreakerIsNotPenalised() {
        SequenceBreakers breakers = new SequenceBreakers(List.of(List.of(9), List.of(3, 4), List.of(3)));
        int[] tokens = {1, 2, 9, 1, 2, 3, 4, 5};
        assertThat(breakers.tokensSince(tokens, 8, 8)).isEqualTo(1);
        // The longest of those that are complete.
        assertThat(breakers.tokensSince(tokens, 7, 7)).isZero();
        assertThat(breakers.tokensSince(tokens, 6, 6)).isZero();
        assertThat(breakers.tokensSince(tokens, 5, 5)).isEqualTo(2);
        // The breaker is outside of what is looked at.
        assertThat(breakers.tokensSince(tokens, 5, 2)).isEqualTo(2);
        assertThat(breakers.tokensSince(tokens, 2, 2)).isEqualTo(2);
        assertThat(breakers.breaksAlone(9)).isTrue();
        assertThat(breakers.breaksAlone(3)).isTrue();
        assertThat(breakers.breaksAlone(4)).isFalse();
        assertThat(SequenceBreakers.NONE.tokensSince(tokens, 8, 8)).isEqualTo(8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "min-p",
                "min-p and top-k",
                "min-p and top-p",
                "xtc and top-k",
                "xtc and top-p",
                "dynamic and top-p",
                "typical and top-k"
            })
    void tokensThatTheNewCutsKeepOutMayBeLeftOut(String what) {
        long seed = 20261127;
        Random random = new Random(seed);
        Sampler sampler = new Sampler(500);
        int undecided = 0;
        int rounds = 500;
        for (int round = 0; round < rounds; round++) {
            float[] logits = new float[500];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) (random.nextGaussian() * 4);
            }
            SamplingParameters parameters = parameters(what, random);
            double temperature = parameters.cutTemperature();
            int[] ranking = IntStream.range(0, 500)
                    .boxed()
                    .sorted((a, b) -> Float.compare(logits[b], logits[a]))
                    .mapToInt(Integer::intValue)
                    .toArray();
            int shown = 60 + random.nextInt(200);
            int[] ids = Arrays.stream(ranking, 0, shown).sorted().toArray();
            double mass = 0;
            for (int i = shown; i < 500; i++) {
                mass += Math.exp(((double) logits[ranking[i]] - logits[ranking[0]]) / temperature);
            }
            Logits.Omitted omitted = new Logits.Omitted(Math.nextUp(logits[ranking[shown]]), mass);
            OptionalInt chosen = sampler.sample(new Logits(logits, 0, ids, shown, omitted), parameters, 7, round);
            if (chosen.isEmpty()) {
                undecided++;
            } else {
                assertThat(chosen)
                        .as("seed %d, round %d, %s", seed, round, parameters)
                        .isEqualTo(sampler.sample(Logits.all(logits, 0, 500), parameters, 7, round));
            }
        }
        assertThat(undecided).isLessThan(what.endsWith("top-k") ? 1 : rounds / 2);
    }

    private static SamplingParameters parameters(String what, Random random) {
        SamplingParameters at = new SamplingParameters(0.5 + random.nextDouble(), 0, 1, OptionalLong.empty());
        double minP = random.nextDouble(0.001, 0.3);
        double topP = random.nextDouble(0.3, 0.9);
        int topK = 1 + random.nextInt(60);
        return switch (what) {
            case "min-p" -> at.withCuts(new Cuts(0, 1, minP, 1));
            case "min-p and top-k" -> at.withCuts(new Cuts(topK, 1, minP, 1));
            case "min-p and top-p" -> at.withCuts(new Cuts(0, topP, minP, 1));
            case "xtc and top-k" -> at.withCuts(new Cuts(topK, 1, 0, 1)).withXtc(new Xtc(0.5, 0.05));
            case "xtc and top-p" -> at.withCuts(new Cuts(0, topP, 0, 1)).withXtc(new Xtc(0.5, 0.05));
            case "dynamic and top-p" ->
                at.withCuts(new Cuts(0, topP, 0, 1)).withDynamicTemperature(new DynamicTemperature(0.4, 1));
            case "typical and top-k" -> at.withCuts(new Cuts(topK, topP, 0, random.nextDouble(0.2, 0.9)));
            default -> throw new AssertionError(what);
        };
    }

    @Test
    void whereTokensOnlyLoseTheBestSayEnough() {
        long seed = 20261129;
        Random random = new Random(seed);
        Sampler sampler = new Sampler(300);
        History history = new History(new int[] {0, 1, 5}, 1, 3, Set.of(7, 9));
        for (int round = 0; round < 1000; round++) {
            float[] logits = new float[300];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) (random.nextGaussian() * 4);
            }
            Integer[] ranking = IntStream.range(0, 300).boxed().toArray(Integer[]::new);
            Arrays.sort(ranking, (a, b) -> Float.compare(logits[b], logits[a]));
            // Those that lose are often the best.
            TokenBias bias = new TokenBias(
                    Map.of(
                            ranking[0],
                            -3f,
                            ranking[2],
                            Float.NEGATIVE_INFINITY,
                            ranking[random.nextInt(20) + 3],
                            -0.5f),
                    List.of(List.of(5, ranking[1])));
            SamplingParameters parameters = (round % 2 == 0
                            ? SamplingParameters.GREEDY
                            : PLAIN.withCuts(new Cuts(1 + random.nextInt(20), 0.9, 0.01, 0.9)))
                    .withBias(bias);
            int enough = parameters.candidates(2, 300).orElseThrow();
            assertThat(enough).isEqualTo((round % 2 == 0 ? 1 : parameters.topK()) + 2 + 4);
            int[] ids =
                    Arrays.stream(ranking, 0, enough).mapToInt(i -> i).sorted().toArray();
            Logits.Omitted omitted = new Logits.Omitted(Math.nextUp(logits[ranking[enough]]), Double.POSITIVE_INFINITY);
            OptionalInt expected =
                    sampler.sample(Logits.all(logits, 0, 300), parameters, seed, history, new SamplerState());
            Logits some = new Logits(logits, 0, ids, enough, omitted);
            Logits fewer = new Logits(logits, 0, ids, enough - 1, omitted);
            assertThat(sampler.sample(some, parameters, seed, history, new SamplerState()))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(expected);
            assertThat(sampler.sample(fewer, parameters, seed, history, new SamplerState()))
                    .isEmpty();
        }
    }

    @Test
    void nothingIsChosenFromSomeOfTheLogitsWhereAllMatter() {
        float[] logits = {1, 0, 2, 0};
        int[] ids = {0, 2};
        Logits some = new Logits(logits, 0, ids, 2, new Logits.Omitted(0.5f, 0.0001));
        Sampler sampler = new Sampler(4);
        History history = new History(new int[] {0, 1}, 1, 2, Set.of());
        for (SamplingParameters parameters : List.of(
                PLAIN.withPenalties(new Penalties(1.1, 0, 0, OptionalInt.empty())),
                SamplingParameters.GREEDY.withBias(new TokenBias(Map.of(1, 5f), List.of())),
                PLAIN.withDry(new Dry(1, 2, 1, 9, SequenceBreakers.NONE)),
                PLAIN.withMirostat(new Mirostat(2, 5, 0.1)),
                PLAIN.withCuts(new Cuts(0, 1, 0, 0.5)),
                PLAIN.withXtc(new Xtc(0.5, 0.1)),
                PLAIN.withDynamicTemperature(new DynamicTemperature(0.5, 1)))) {
            SamplerState state = new SamplerState();
            assertThat(sampler.sample(some, parameters, 3, history, state))
                    .as("%s", parameters)
                    .isEmpty();
            assertThat(state.maxSurprise(parameters.mirostat()))
                    .isEqualTo(2 * parameters.mirostat().tau());
        }
        History withBan = new History(new int[] {0, 1}, 1, 2, Set.of(2));
        assertThat(sampler.sample(some, PLAIN.withCuts(new Cuts(0, 0.5, 0, 1)), 3, withBan, new SamplerState()))
                .isEmpty();
        // The best token is banned, and the other one that is known is better than those that are not.
        assertThat(sampler.sample(some, SamplingParameters.GREEDY, 3, withBan, new SamplerState()))
                .hasValue(0);
    }

    @Test
    void parametersThatLookAtTheSequenceNeedIt() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Sampler(2)
                        .sample(Logits.all(new float[2], 0, 2), PLAIN.withMirostat(new Mirostat(1, 5, 0.1)), 1, 0))
                .withMessageStartingWith("expected parameters that need no history");
    }

    private static int[] counts(float[] logits, SamplingParameters parameters, int count) {
        Sampler sampler = new Sampler(logits.length);
        int[] counts = new int[logits.length];
        for (int position = 0; position < count; position++) {
            counts[
                    sampler.sample(Logits.all(logits, 0, logits.length), parameters, 5, position)
                            .orElseThrow()]++;
        }
        return counts;
    }

    private static void assertFollows(int[] observed, double[] expected, int count) {
        double chiSquare = 0;
        int degrees = -1;
        for (int id = 0; id < expected.length; id++) {
            if (expected[id] == 0) {
                assertThat(observed[id]).as("draws of token %d", id).isZero();
            } else {
                chiSquare += Math.pow(observed[id] - expected[id] * count, 2) / (expected[id] * count);
                degrees++;
            }
        }
        // Mean and deviation of the chi-square distribution: five deviations are one in a million.
        assertThat(chiSquare).isLessThan(degrees + 5 * Math.sqrt(2.0 * degrees));
    }
}
