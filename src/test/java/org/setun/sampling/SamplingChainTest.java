package org.setun.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the sampler chooses against {@link ReferenceSampler}. */
final class SamplingChainTest {

    private static final SamplingParameters PLAIN = new SamplingParameters(1, 0, 1, OptionalLong.empty());

    /** One thing that a request can ask for, and all at once. */
    enum Feature {
        MIN_P {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withCuts(
                        new Cuts(to.topK(), to.topP(), share(random), to.cuts().typicalP()));
            }
        },
        TYPICAL {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withCuts(new Cuts(to.topK(), to.topP(), to.cuts().minP(), share(random)));
            }
        },
        TOP_K_AND_P {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withCuts(new Cuts(
                        1 + random.nextInt(40),
                        share(random),
                        to.cuts().minP(),
                        to.cuts().typicalP()));
            }
        },
        XTC {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withXtc(new Xtc(share(random), random.nextDouble(0, 0.6)));
            }
        },
        DYNAMIC {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withDynamicTemperature(
                        new DynamicTemperature(random.nextDouble(0.01, 2), random.nextDouble(3)));
            }
        },
        MIROSTAT_1 {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withMirostat(new Mirostat(1, random.nextDouble(0.5, 6), random.nextDouble()));
            }
        },
        MIROSTAT_2 {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withMirostat(new Mirostat(2, random.nextDouble(0.5, 6), random.nextDouble()));
            }
        },
        PENALTIES {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return to.withPenalties(new Penalties(
                        random.nextDouble(0.5, 2),
                        random.nextDouble(-2, 2),
                        random.nextDouble(-2, 2),
                        random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(random.nextInt(30))));
            }
        },
        DRY {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                int window = random.nextBoolean() ? Integer.MAX_VALUE : random.nextInt(40);
                return to.withDry(new Dry(
                        random.nextDouble(0.1, 2),
                        random.nextDouble(1, 1.5),
                        1 + random.nextInt(3),
                        window,
                        new SequenceBreakers(BREAKERS)));
            }
        },
        BIAS {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                Map<Integer, Float> bias = new HashMap<>();
                random.ints(5, 0, VOCAB).forEach(id -> bias.put(id, (float) random.nextDouble(-5, 5)));
                bias.put(3, Float.NEGATIVE_INFINITY);
                return to.withBias(new TokenBias(bias, List.of(List.of(1), List.of(0, 2), List.of(4, 4, 4))));
            }
        },
        GREEDY {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                return new SamplingParameters(
                        0,
                        to.dynamic(),
                        to.cuts(),
                        to.xtc(),
                        to.mirostat(),
                        to.penalties(),
                        to.dry(),
                        to.bias(),
                        to.seed());
            }
        },
        ANY {
            @Override
            SamplingParameters add(SamplingParameters to, Random random) {
                SamplingParameters all = to;
                for (Feature feature : values()) {
                    all = feature != ANY && random.nextInt(3) == 0 ? feature.add(all, random) : all;
                }
                return all;
            }
        };

        abstract SamplingParameters add(SamplingParameters to, Random random);

        static double share(Random random) {
            return random.nextDouble(0.05, 0.99);
        }
    }

    private static final int VOCAB = 60;
    private static final List<List<Integer>> BREAKERS = List.of(List.of(5), List.of(2, 0), List.of(2, 0, 1));

    @ParameterizedTest
    @EnumSource
    void aSequenceIsContinuedAsTheDefinitionSays(Feature feature) {
        long seed = 20261128;
        Random random = new Random(seed);
        Sampler sampler = new Sampler(VOCAB);
        for (int round = 0; round < 150; round++) {
            SamplingParameters parameters =
                    feature.add(new SamplingParameters(random.nextDouble(0.3, 2), 0, 1, OptionalLong.empty()), random);
            if (parameters.cuts().equals(Cuts.NONE)
                    && !parameters.isGreedy()
                    && !parameters.usesMirostat()
                    && !parameters.narrows(VOCAB)) {
                // A draw without cuts uses the random numbers otherwise; one that keeps all but the impossible is like
                // it.
                parameters = parameters.withCuts(new Cuts(0, 1, Double.MIN_NORMAL, 1));
            }
            ReferenceSampler reference = new ReferenceSampler(parameters, BREAKERS, round);
            SamplerState state = new SamplerState();
            // Few different tokens, so that much repeats.
            List<Integer> prompt =
                    random.ints(1 + random.nextInt(20), 0, 6).boxed().toList();
            List<Integer> answer = new ArrayList<>();
            for (int step = 0; step < 25; step++) {
                float[] logits = randomLogits(random, round % 4 == 0);
                Set<Integer> banned = step < 3 ? Set.of(7, 8) : Set.of();
                int chosen = sampler.sample(
                                Logits.all(logits, 0, VOCAB), parameters, round, history(prompt, answer, banned), state)
                        .orElseThrow();
                assertThat(chosen)
                        .as("seed %d, round %d, step %d: %s", seed, round, step, parameters)
                        .isEqualTo(reference.sample(logits, prompt, answer, banned));
                answer.add(step % 3 == 0 ? chosen : random.nextInt(6));
            }
        }
    }

    @Test
    void theDrawWithoutCutsHasChangedLogitsToo() {
        // The largest of all logits with noise, whatever the logits come from.
        Random random = new Random(4);
        Sampler sampler = new Sampler(VOCAB);
        SamplingParameters parameters = Feature.PENALTIES.add(Feature.BIAS.add(PLAIN, random), random);
        ReferenceSampler reference = new ReferenceSampler(parameters, BREAKERS, 4);
        List<Integer> prompt = List.of(1, 2, 3, 2);
        List<Integer> answer = List.of(9, 9, 8);
        Set<Integer> chosen = new HashSet<>();
        for (int round = 0; round < 500; round++) {
            float[] logits = randomLogits(random, false);
            List<Integer> all = new ArrayList<>(prompt);
            all.addAll(answer);
            float[] changed = reference.changed(logits, prompt.size(), all, Set.of());
            OptionalInt expected = sampler.sample(Logits.all(changed, 0, VOCAB), PLAIN, round, all.size());
            History history = history(prompt, answer, Set.of());
            assertThat(sampler.sample(Logits.all(logits, 0, VOCAB), parameters, round, history, new SamplerState()))
                    .isEqualTo(expected);
            chosen.add(expected.getAsInt());
        }
        assertThat(chosen).hasSizeGreaterThan(20).doesNotContain(1, 3);
    }

    @Test
    void theModelsLogitsStayAsTheyAre() {
        float[] logits = randomLogits(new Random(1), false);
        float[] before = logits.clone();
        SamplingParameters parameters = Feature.BIAS.add(
                Feature.DRY.add(Feature.PENALTIES.add(PLAIN, new Random(2)), new Random(3)), new Random(5));
        History history = history(List.of(1, 2, 1, 2, 1), List.of(2, 1, 2), Set.of(30));
        new Sampler(VOCAB).sample(Logits.all(logits, 0, VOCAB), parameters, 1, history, new SamplerState());
        assertThat(logits).isEqualTo(before);
    }

    @Test
    void aSamplerThatServesManySequencesKeepsNothingOfThem() {
        Random random = new Random(8);
        Sampler shared = new Sampler(VOCAB);
        for (int round = 0; round < 500; round++) {
            SamplingParameters parameters = Feature.ANY.add(PLAIN, random);
            float[] logits = randomLogits(random, false);
            History history = history(random.ints(30, 0, VOCAB).boxed().toList(), List.of(1, 2), Set.of(0));
            Logits row = Logits.all(logits, 0, VOCAB);
            assertThat(shared.sample(row, parameters, 5, history, new SamplerState()))
                    .as("round %d: %s", round, parameters)
                    .isEqualTo(new Sampler(VOCAB).sample(row, parameters, 5, history, new SamplerState()));
        }
    }

    private static History history(List<Integer> prompt, List<Integer> answer, Set<Integer> banned) {
        int[] tokens = IntStream.concat(
                        prompt.stream().mapToInt(Integer::intValue),
                        IntStream.concat(answer.stream().mapToInt(Integer::intValue), IntStream.of(77, 78)))
                .toArray();
        // Two places at the end are not the sequence's yet.
        return new History(tokens, prompt.size(), tokens.length - 2, banned);
    }

    private static float[] randomLogits(Random random, boolean rounded) {
        float[] logits = new float[VOCAB];
        for (int i = 0; i < VOCAB; i++) {
            float logit = (float) (random.nextGaussian() * 2);
            logits[i] = rounded ? Math.round(logit) : logit;
        }
        return logits;
    }
}
