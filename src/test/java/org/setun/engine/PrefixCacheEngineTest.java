package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.kernel.KernelSelection;
import org.setun.model.Attention;
import org.setun.model.Model;
import org.setun.model.RandomModel;
import org.setun.sampling.SamplingParameters;

/** What a request gets from the prefix cache is what the model would have computed. */
@Timeout(120)
final class PrefixCacheEngineTest {

    private static final int VOCAB = 97;

    /** What a sequence's memory consists of. */
    enum Memory {
        RECURRENT,
        PAGED,
        BOTH
    }

    private static ScriptedModel model(Memory memory) {
        return switch (memory) {
            case RECURRENT -> new ScriptedModel(VOCAB);
            case PAGED -> ScriptedModel.pagesOnly(VOCAB, batch -> {});
            case BOTH -> ScriptedModel.paged(VOCAB, batch -> {});
        };
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void aConversationGoesOnWhereItEnded(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        Random random = new Random(1);
        try (Engine engine = engine(model, 4, 16)) {
            int[] conversation = prompt(random, 100);
            int known = 0;
            for (int turn = 0; turn < 4; turn++) {
                Recording recording = submit(engine, greedy(conversation, 30));
                TokenCounts counts = recording.finished().tokens();
                // The last token of an answer has not been read, nor is a page kept that is not full.
                assertThat(counts.cached()).as("turn %d", turn).isBetween(Math.max(0, known - 4), known);
                assertThat(counts.cached() > 0).isEqualTo(turn > 0);
                assertThat(recording.ids()).isEqualTo(model.continuation(conversation, 30));
                known = conversation.length + 29;
                conversation = IntStream.concat(
                                IntStream.concat(
                                        Arrays.stream(conversation),
                                        recording.ids().stream().mapToInt(Integer::intValue)),
                                Arrays.stream(prompt(random, 20)))
                        .toArray();
            }
            assertThat(engine.cache().hits()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void thePromptOfAnotherRequestIsReadOnce(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        int[] system = prompt(new Random(2), 600);
        try (Engine engine = engine(model, 4, 64)) {
            for (int i = 0; i < 5; i++) {
                int[] prompt = IntStream.concat(Arrays.stream(system), Arrays.stream(prompt(new Random(i), 30)))
                        .toArray();
                Recording recording = submit(engine, greedy(prompt, 3));
                assertThat(recording.finished().tokens().cached()).isBetween(i == 0 ? 0 : 450, i == 0 ? 0 : 600);
                assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 3));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void aShortBeginningIsKnownToTheThirdThatHasIt(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        int[] system = prompt(new Random(12), 70);
        try (Engine engine = engine(model, 4, 64)) {
            for (int i = 0; i < 4; i++) {
                int[] prompt = IntStream.concat(Arrays.stream(system), Arrays.stream(prompt(new Random(i), 30)))
                        .toArray();
                Recording recording = submit(engine, greedy(prompt, 3));
                int known = memory == Memory.PAGED ? 68 : 64;
                assertThat(recording.finished().tokens().cached())
                        .isEqualTo(i >= (memory == Memory.PAGED ? 1 : 2) ? known : 0);
                assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 3));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void theSamePromptAgainIsNotReadAtAll(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        int[] prompt = prompt(new Random(3), 201);
        try (Engine engine = engine(model, 4, 64)) {
            submit(engine, greedy(prompt, 2)).finished();
            Recording again = submit(engine, greedy(prompt, 2));
            assertThat(again.finished().tokens().cached()).isEqualTo(200);
            assertThat(again.ids()).isEqualTo(model.continuation(prompt, 2));
        }
    }

    @Test
    void requestsAtTheSameTimeWaitForTheOneThatReadsTheirPrompt() throws Exception {
        ConcurrentLinkedQueue<Integer> tokens = new ConcurrentLinkedQueue<>();
        ScriptedModel model = new ScriptedModel(VOCAB, batch -> tokens.add(batch.tokens()));
        int[] prompt = prompt(new Random(4), 400);
        try (Engine engine = engine(model, 8, 32)) {
            List<Recording> recordings = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                recordings.add(submit(engine, greedy(prompt, 5)));
            }
            for (Recording recording : recordings) {
                recording.finished();
                assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 5));
            }
        }
        assertThat(tokens.stream().mapToInt(Integer::intValue).sum()).isLessThan(600);
    }

    @Test
    void anotherSparsityIsAnotherState() throws Exception {
        int[] prompt = prompt(new Random(5), 100);
        try (Engine engine = engine(new ScriptedModel(VOCAB), 4, 64)) {
            submit(engine, greedy(prompt, 2)).finished();
            assertThat(submit(engine, greedy(prompt, 2).withActivationSparsity(0.5))
                            .finished()
                            .tokens()
                            .cached())
                    .isZero();
        }
    }

    @Test
    void whatIsToldOfEveryTokenIsComputed() throws Exception {
        int[] prompt = prompt(new Random(6), 100);
        Details scores = new Details(OptionalInt.empty(), OptionalInt.of(1), false);
        try (Engine engine = engine(new ScriptedModel(VOCAB), 4, 64)) {
            submit(engine, greedy(prompt, 2)).finished();
            Recording scored = submit(
                    engine,
                    new TokenRequest(
                            "r",
                            prompt,
                            new Ending(1, Set.of()),
                            SamplingParameters.GREEDY,
                            scores,
                            Urgency.NORMAL,
                            0));
            assertThat(scored.finished().tokens().cached()).isZero();
            assertThat(scored.promptScores()).hasSize(99);
        }
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void littleMemoryCostsHitsAndNothingElse(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        Random random = new Random(7);
        int[] shared = prompt(random, 90);
        // 40 pages of 4 tokens; the bookkeeping of these, and a few snapshots with their tokens.
        try (Engine engine = new Engine(model, Settings.cached(6, 24, 640, 20_000), EngineObserver.NONE)) {
            for (int round = 0; round < 20; round++) {
                List<int[]> prompts = new ArrayList<>();
                List<Recording> recordings = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    int[] prompt = IntStream.concat(
                                    Arrays.stream(shared, 0, random.nextInt(91)),
                                    Arrays.stream(prompt(random, 1 + random.nextInt(20))))
                            .toArray();
                    prompts.add(prompt);
                    recordings.add(submit(engine, greedy(prompt, 1 + random.nextInt(40))));
                }
                for (int i = 0; i < 8; i++) {
                    int count = recordings.get(i).finished().tokens().completion();
                    assertThat(recordings.get(i).ids()).isEqualTo(model.continuation(prompts.get(i), count));
                }
            }
            assertThat(engine.cache().hits()).isPositive();
            assertThat(engine.cache().evictions()).isPositive();
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 6, true));
        }
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void whatTakesAllMemoryRunsAgainAndAgain(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        int[] prompt = prompt(new Random(14), 37);
        // Ten pages of four tokens: the prompt and all but the last of four more tokens.
        try (Engine engine = new Engine(model, Settings.cached(2, 16, 160, 20_000), EngineObserver.NONE)) {
            for (int i = 0; i < 5; i++) {
                Recording recording = submit(engine, greedy(prompt, 4));
                recording.finished();
                assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 4));
            }
        }
    }

    @Test
    void nobodyWaitsForWhoComesAfterHim() throws Exception {
        StepGate gate = new StepGate();
        int[] prompt = prompt(new Random(15), 300);
        try (Engine engine = engine(new ScriptedModel(VOCAB, gate), 4, 16)) {
            Recording reader = submit(engine, urgent(prompt, 5));
            gate.awaitStep();
            Recording urgent = submit(engine, urgent(prompt, -5));
            Recording equal = submit(engine, urgent(prompt, 5));
            gate.pass();
            // The urgent one reads its prompt itself; the third has the same priority as the first, and waits.
            assertThat(gate.awaitStep().chunks()).hasSize(1);
            assertThat(engine.status().running()).isEqualTo(2);
            gate.open();
            for (Recording recording : List.of(reader, urgent, equal)) {
                recording.finished();
            }
        }
    }

    static Stream<Arguments> shapes() {
        return Stream.of(
                Arguments.of(new RandomModel.Shape(300, 64, 64, 96, 2, RandomModel.Convolution.SEPARATE, true, null)),
                Arguments.of(new RandomModel.Shape(
                        300, 48, 48, 72, 2, RandomModel.Convolution.NONE, true, new Attention.Heads(6, 2, 10))));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void aRealModelGivesTheSameTokensAndScoresWithAndWithoutTheCache(RandomModel.Shape shape) throws Exception {
        Random random = new Random(9);
        int[] shared = random.ints(150, 0, 300).toArray();
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            int[] own = random.ints(1 + random.nextInt(30), 0, 300).toArray();
            requests.add(new TokenRequest(
                    "r" + i,
                    IntStream.concat(Arrays.stream(shared, 0, 50 + random.nextInt(101)), Arrays.stream(own))
                            .toArray(),
                    new Ending(8, Set.of()),
                    new SamplingParameters(0.8, 0, 0.9, OptionalLong.of(i)),
                    new Details(i % 2 == 0 ? OptionalInt.of(2) : OptionalInt.empty(), OptionalInt.empty(), false),
                    Urgency.NORMAL,
                    0));
        }
        List<List<EngineEvent.Token>> alone = new ArrayList<>();
        try (Model model = RandomModel.of(shape, 11, KernelSelection.select("auto", 1))) {
            for (TokenRequest request : requests) {
                EngineSettings uncached = Settings.of(64, 1, 64, 64L << 20, Duration.ofSeconds(20));
                try (Engine engine = new Engine(model, uncached, EngineObserver.NONE)) {
                    Recording recording = submit(engine, request);
                    recording.finished();
                    alone.add(recording.tokens());
                }
            }
        }
        for (int threads : new int[] {1, 2, 4}) {
            try (Model model = RandomModel.of(shape, 11, KernelSelection.select("auto", threads));
                    Engine engine = new Engine(
                            model, Settings.cached(5, 10 + 7 * threads, 64L << 20, 64L << 20), EngineObserver.NONE)) {
                for (int round = 0; round < 2; round++) {
                    List<Recording> recordings = new ArrayList<>();
                    for (TokenRequest request : requests) {
                        recordings.add(submit(engine, request));
                    }
                    for (int i = 0; i < requests.size(); i++) {
                        recordings.get(i).finished();
                        assertThat(recordings.get(i).tokens()).isEqualTo(alone.get(i));
                    }
                }
                assertThat(engine.cache().hits()).isGreaterThan(20);
            }
        }
    }

    private static int[] prompt(Random random, int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }

    private static TokenRequest greedy(int[] prompt, int maxTokens) {
        return new TokenRequest("r", prompt, maxTokens, SamplingParameters.GREEDY, Set.of());
    }

    private static TokenRequest urgent(int[] prompt, int priority) {
        return new TokenRequest(
                "r",
                prompt,
                new Ending(2, Set.of()),
                SamplingParameters.GREEDY,
                Details.NONE,
                new Urgency(priority, Optional.empty()),
                0);
    }

    private static Recording submit(Engine engine, TokenRequest request) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(request, recording);
        return recording;
    }

    private static Engine engine(Model model, int maxSequences, int maxBatchTokens) {
        return new Engine(model, Settings.cached(maxSequences, maxBatchTokens, 1 << 20, 1 << 20), EngineObserver.NONE);
    }
}
