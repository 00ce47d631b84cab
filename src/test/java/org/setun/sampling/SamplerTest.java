package org.setun.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SamplerTest {

    @Test
    void temperatureZeroChoosesTheHighestLogitAndOfEqualOnesTheLowestId() {
        float[] logits = {1, 3, -2, 3, 0};
        assertThat(sample(new Sampler(5), logits, 0, SamplingParameters.GREEDY, 7, 0))
                .isEqualTo(1);
    }

    @Test
    void aRowIsReadFromItsOffset() {
        float[] logits = {9, 0, 0, 0, 0, 9};
        assertThat(sample(new Sampler(3), logits, 3, SamplingParameters.GREEDY, 7, 0))
                .isEqualTo(2);
        assertThat(draws(new Sampler(3), logits, 3, parameters(0.01, 0, 1), 100))
                .containsOnly(2);
    }

    @ParameterizedTest
    @CsvSource({"1, 0, 1", "0.7, 0, 1", "1.5, 0, 1", "1, 20, 1", "1, 0, 0.8", "0.7, 12, 0.9", "3, 30, 0.5"})
    void drawsFollowTheDistribution(double temperature, int topK, double topP) {
        int vocabSize = 64;
        float[] logits = randomLogits(new Random(5), vocabSize, 1.5);
        SamplingParameters parameters = parameters(temperature, topK, topP);
        double[] expected = distributionBySorting(logits, parameters);
        int count = 100_000;
        int[] observed = new int[vocabSize];
        for (int id : draws(new Sampler(vocabSize), logits, 0, parameters, count)) {
            observed[id]++;
        }
        double chiSquare = 0;
        int degrees = -1;
        for (int id = 0; id < vocabSize; id++) {
            if (expected[id] == 0) {
                assertThat(observed[id])
                        .as("draws of token %d, which is cut", id)
                        .isZero();
            } else {
                chiSquare += Math.pow(observed[id] - expected[id] * count, 2) / (expected[id] * count);
                degrees++;
            }
        }
        // Mean and deviation of the chi-square distribution: five deviations are one in a million.
        assertThat(chiSquare).isLessThan(degrees + 5 * Math.sqrt(2.0 * degrees));
    }

    @Test
    void neighbouringSeedsAndPositionsDrawIndependently() {
        // Pairs of draws, over seeds and over positions, fall evenly into the cells of a grid.
        float[] uniform = new float[16];
        Sampler sampler = new Sampler(16);
        SamplingParameters parameters = parameters(1, 0, 1);
        int[] bySeed = new int[256];
        int[] byPosition = new int[256];
        int count = 100_000;
        for (int i = 0; i < count; i++) {
            int here = sample(sampler, uniform, 0, parameters, i, 5);
            bySeed[16 * here + sample(sampler, uniform, 0, parameters, i + 1, 5)]++;
            here = sample(sampler, uniform, 0, parameters, 5, i);
            byPosition[16 * here + sample(sampler, uniform, 0, parameters, 5, i + 1)]++;
        }
        for (int[] observed : List.of(bySeed, byPosition)) {
            double mean = count / 256.0;
            double chiSquare = Arrays.stream(observed)
                    .mapToDouble(n -> (n - mean) * (n - mean) / mean)
                    .sum();
            assertThat(chiSquare).isLessThan(255 + 6 * Math.sqrt(2.0 * 255));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 100, 1009})
    void theKeptSetIsThatOfASort(int vocabSize) {
        long seed = 20260101L + vocabSize;
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            // Few distinct values now and then, so that ties are many.
            float[] logits = randomLogits(random, vocabSize, 4);
            if (round % 3 == 0) {
                for (int i = 0; i < vocabSize; i++) {
                    logits[i] = Math.round(logits[i]);
                }
            }
            int[] sorted = sortedBestFirst(logits);
            int k = 1 + random.nextInt(vocabSize);
            int[] ids = shuffledIds(random, vocabSize);
            BestFirst.partition(logits, 0, ids, vocabSize, k);
            assertThat(setOf(ids, k))
                    .as("seed %d, round %d, k %d", seed, round, k)
                    .isEqualTo(setOf(sorted, k));
            assertThat(BestFirst.last(logits, 0, ids, k)).isEqualTo(sorted[k - 1]);

            double[] weights = IntStream.range(0, vocabSize)
                    .mapToDouble(i -> Math.exp(logits[i]))
                    .toArray();
            double mass = random.nextDouble() * Arrays.stream(weights).sum();
            int reaching = 1;
            for (double sum = weights[sorted[0]]; sum < mass && reaching < vocabSize; reaching++) {
                sum += weights[sorted[reaching]];
            }
            ids = shuffledIds(random, vocabSize);
            assertThat(BestFirst.partitionByMass(logits, 0, ids, vocabSize, weights, mass))
                    .as("seed %d, round %d, mass %s", seed, round, mass)
                    .isEqualTo(reaching);
            assertThat(setOf(ids, reaching)).isEqualTo(setOf(sorted, reaching));
        }
    }

    @Test
    void oneTokenIsKeptHoweverSmallTopPAndTopK() {
        float[] logits = randomLogits(new Random(3), 50, 2);
        int best = sortedBestFirst(logits)[0];
        assertThat(draws(new Sampler(50), logits, 0, parameters(2, 0, 1e-300), 50))
                .containsOnly(best);
        assertThat(draws(new Sampler(50), logits, 0, parameters(2, 1, 1), 50)).containsOnly(best);
    }

    @Test
    void cutsLargerThanTheVocabularyChangeNothing() {
        float[] logits = randomLogits(new Random(3), 50, 2);
        assertThat(draws(new Sampler(50), logits, 0, parameters(1, 50, 1), 500))
                .isEqualTo(draws(new Sampler(50), logits, 0, parameters(1, 0, 1), 500))
                .isEqualTo(draws(new Sampler(50), logits, 0, parameters(1, 4000, 1), 500));
    }

    @Test
    void aTinyTemperatureIsGreedyAndAHugeOneUniform() {
        float[] logits = randomLogits(new Random(9), 30, 2);
        int best = sortedBestFirst(logits)[0];
        assertThat(draws(new Sampler(30), logits, 0, parameters(Double.MIN_VALUE, 0, 1), 100))
                .containsOnly(best);
        assertThat(setOf(
                        draws(new Sampler(30), logits, 0, parameters(100, 0, 1), 2000).stream()
                                .mapToInt(Integer::intValue)
                                .toArray(),
                        2000))
                .hasSize(30);
    }

    @Test
    void aTokenOfNegativeInfinityIsNeverDrawn() {
        float[] logits = {0, Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY};
        assertThat(draws(new Sampler(4), logits, 0, parameters(100, 0, 1), 1000))
                .containsOnly(0, 2);
        assertThat(draws(new Sampler(4), logits, 0, parameters(100, 3, 0.999999), 1000))
                .containsOnly(0, 2);
    }

    @Test
    void aDrawDependsOnTheSeedAndThePositionOnly() {
        float[] logits = randomLogits(new Random(1), 200, 1);
        SamplingParameters parameters = parameters(1, 50, 0.9);
        Sampler used = new Sampler(200);
        List<Integer> forward = draws(used, logits, 0, parameters, 100);
        for (int position = 99; position >= 0; position--) {
            sample(used, randomLogits(new Random(position), 200, 1), 0, parameters, 99, position);
            assertThat(sample(used, logits, 0, parameters, 42, position)).isEqualTo(forward.get(position));
        }
        assertThat(new HashSet<>(forward)).hasSizeGreaterThan(10);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void aLogitThatIsNoNumberIsNamed(float logit) {
        float[] logits = {0, 1, logit};
        assertThatThrownBy(() -> sample(new Sampler(3), logits, 0, SamplingParameters.GREEDY, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("logit of token 2")
                .hasMessageContaining(String.valueOf(logit));
    }

    @Test
    void logitsWithoutAnyPossibleTokenAreRefused() {
        float[] logits = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
        assertThatThrownBy(() -> sample(new Sampler(2), logits, 0, SamplingParameters.GREEDY, 1, 0))
                .hasMessage("all 2 logits are negative infinity");
    }

    /** Samples from the row that begins at {@code offset} and ends with {@code values}. */
    private static int sample(
            Sampler sampler, float[] values, int offset, SamplingParameters parameters, long seed, int position) {
        return sampler.sample(Logits.all(values, offset, values.length - offset), parameters, seed, position)
                .orElseThrow();
    }

    @Test
    void tokensThatCannotBeChosenMayBeLeftOut() {
        long seed = 20261125;
        Random random = new Random(seed);
        Sampler sampler = new Sampler(500);
        int undecided = 0;
        for (int round = 0; round < 3000; round++) {
            float[] logits = randomLogits(random, 500, 4);
            if (round % 3 == 0) {
                for (int i = 0; i < logits.length; i++) {
                    logits[i] = Math.round(logits[i]);
                }
            }
            int[] sorted = sortedBestFirst(logits);
            double temperature = 0.5 + random.nextDouble();
            SamplingParameters parameters = switch (round % 4) {
                case 0 -> SamplingParameters.GREEDY;
                case 1 -> parameters(temperature, 1 + random.nextInt(100), random.nextDouble(0.3, 1));
                case 2 -> parameters(temperature, 1 + random.nextInt(100), 1);
                default -> parameters(temperature, 0, random.nextDouble(0.3, 0.95));
            };
            int shown = 100 + random.nextInt(200);
            int[] ids = Arrays.stream(sorted, 0, shown).sorted().toArray();
            float below = Math.nextUp(logits[sorted[shown]]);
            double mass = 0;
            for (int i = shown; i < sorted.length; i++) {
                mass += Math.exp(((double) logits[sorted[i]] - logits[sorted[0]]) / temperature);
            }
            Logits some =
                    new Logits(logits, 0, ids, shown, new Logits.Omitted(below, mass * random.nextDouble(1, 1.2)));
            OptionalInt chosen = sampler.sample(some, parameters, 7, round);
            if (chosen.isEmpty()) {
                assertThat(round % 4).as("seed %d, round %d", seed, round).isEqualTo(3);
                undecided++;
            } else {
                assertThat(chosen)
                        .as("seed %d, round %d", seed, round)
                        .hasValue(sample(sampler, logits, 0, parameters, 7, round));
            }
        }
        // Of the 750 with top-p alone; more would mean that leaving tokens out is of no use.
        assertThat(undecided).isBetween(1, 200);
    }

    @Test
    void aDrawWithoutCutsIsThatFromAnyListThatHasItsToken() {
        long seed = 20261126;
        Random random = new Random(seed);
        int vocabSize = 700;
        Sampler sampler = new Sampler(vocabSize);
        Set<Integer> drawn = new HashSet<>();
        for (int round = 0; round < 1000; round++) {
            float[] logits = randomLogits(random, vocabSize, 3);
            SamplingParameters parameters = parameters(random.nextDouble(0.2, 3), 0, 1);
            int expected = sample(sampler, logits, 0, parameters, seed, round);
            drawn.add(expected);
            int[] ids = IntStream.range(0, vocabSize)
                    .filter(id -> id == expected || random.nextInt(10) == 0)
                    .toArray();
            Logits some = new Logits(logits, 0, ids, ids.length, Logits.Omitted.NONE);
            assertThat(sampler.sample(some, parameters, seed, round))
                    .as("round %d", round)
                    .hasValue(expected);
        }
        assertThat(drawn).hasSizeGreaterThan(100);
    }

    @Test
    void theNoiseIsOfAGumbelDistributionInWhateverOrderItIsAskedFor() {
        int vocabSize = 200;
        GumbelNoise noise = new GumbelNoise(vocabSize);
        GumbelNoise backwards = new GumbelNoise(vocabSize);
        int places = 2000;
        int[] cells = new int[20];
        for (int position = 0; position < places; position++) {
            noise.begin(9, position);
            backwards.begin(9, position);
            double[] values = new double[vocabSize];
            for (int id = vocabSize - 1; id >= 0; id--) {
                values[id] = backwards.of(id);
                // The distribution function makes a uniform number of it.
                cells[(int) (cells.length * Math.exp(-Math.exp(-values[id])))]++;
            }
            for (int block = 0; block < noise.blocks(); block++) {
                int first = block * GumbelNoise.BLOCK;
                int end = Math.min(vocabSize, first + GumbelNoise.BLOCK);
                assertThat(noise.largest(block))
                        .isEqualTo(Arrays.stream(values, first, end).max().orElseThrow());
                for (int id = first; id < end; id++) {
                    assertThat(noise.of(id)).isEqualTo(values[id]);
                }
            }
        }
        double mean = places * vocabSize / (double) cells.length;
        double chiSquare = Arrays.stream(cells)
                .mapToDouble(n -> (n - mean) * (n - mean) / mean)
                .sum();
        assertThat(chiSquare).isLessThan(19 + 5 * Math.sqrt(2.0 * 19));
    }

    @Test
    void nothingIsChosenWhereAnOmittedTokenMightBe() {
        float[] logits = {1, 0, 2, 0};
        int[] ids = {0, 2};
        Logits withUnknown = new Logits(logits, 0, ids, 2, new Logits.Omitted(0.5f, Double.POSITIVE_INFINITY));
        Logits withHeavy = new Logits(logits, 0, ids, 2, new Logits.Omitted(0.5f, 0.28));
        Logits withRival = new Logits(logits, 0, ids, 2, new Logits.Omitted(1.5f, 0.0001));
        Logits withLight = new Logits(logits, 0, ids, 2, new Logits.Omitted(0.5f, 0.0001));
        Sampler sampler = new Sampler(4);
        assertThat(sampler.sample(withUnknown, parameters(1, 0, 1), 3, 0)).isEmpty();
        assertThat(sampler.sample(withUnknown, parameters(1, 0, 0.6), 3, 0)).isEmpty();
        // The best has e^0 of a total from e^0 + e^-1 to 0.28 more: 73 % or 61 %.
        assertThat(sampler.sample(withHeavy, parameters(1, 0, 0.7), 3, 0)).isEmpty();
        assertThat(sampler.sample(withLight, parameters(1, 0, 0.7), 3, 0)).hasValue(2);
        assertThat(sampler.sample(withRival, parameters(1, 0, 0.9), 3, 0)).isEmpty();
        assertThat(sampler.sample(withLight, parameters(1, 0, 0.9), 3, 0)).isPresent();
    }

    private static SamplingParameters parameters(double temperature, int topK, double topP) {
        return new SamplingParameters(temperature, topK, topP, OptionalLong.empty());
    }

    /** Returns the tokens of positions 0 to {@code count} with one seed. */
    private static List<Integer> draws(
            Sampler sampler, float[] logits, int offset, SamplingParameters parameters, int count) {
        List<Integer> ids = new ArrayList<>();
        for (int position = 0; position < count; position++) {
            ids.add(sample(sampler, logits, offset, parameters, 42, position));
        }
        return ids;
    }

    /** The specification: temperature, softmax, sort, cut at k, renormalise, cut at p, renormalise. */
    private static double[] distributionBySorting(float[] logits, SamplingParameters parameters) {
        int[] sorted = sortedBestFirst(logits);
        int kept = parameters.topK() == 0 ? logits.length : Math.min(parameters.topK(), logits.length);
        double[] weights = IntStream.range(0, logits.length)
                .mapToDouble(i -> Math.exp(logits[i] / parameters.temperature()))
                .toArray();
        double total =
                Arrays.stream(sorted, 0, kept).mapToDouble(i -> weights[i]).sum();
        double sum = 0;
        int nucleus = 0;
        while (nucleus < kept && sum < parameters.topP() * total) {
            sum += weights[sorted[nucleus++]];
        }
        double[] distribution = new double[logits.length];
        for (int rank = 0; rank < nucleus; rank++) {
            distribution[sorted[rank]] = weights[sorted[rank]] / sum;
        }
        return distribution;
    }

    private static int[] sortedBestFirst(float[] logits) {
        return IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(i -> -logits[i]).thenComparing(i -> i))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static int[] shuffledIds(Random random, int count) {
        int[] ids = IntStream.range(0, count).toArray();
        for (int i = count - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int id = ids[i];
            ids[i] = ids[j];
            ids[j] = id;
        }
        return ids;
    }

    private static Set<Integer> setOf(int[] ids, int count) {
        Set<Integer> set = new HashSet<>();
        for (int i = 0; i < count; i++) {
            set.add(ids[i]);
        }
        return set;
    }

    private static float[] randomLogits(Random random, int count, double deviation) {
        float[] logits = new float[count];
        for (int i = 0; i < count; i++) {
            logits[i] = (float) (random.nextGaussian() * deviation);
        }
        return logits;
    }
}
