package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.kernel.KernelSelection;
import org.setun.model.Attention;
import org.setun.model.Batch;
import org.setun.model.Model;
import org.setun.model.RandomModel;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.TokenScore;

/** Requests with the same prompt: it is read once, and each gets what it would get alone. */
@Timeout(120)
final class PromptGroupTest {

    private static final int VOCAB = 97;

    private final AtomicInteger computed = new AtomicInteger();
    private StepGate gate = new StepGate();

    private ScriptedModel model(PrefixCacheEngineTest.Memory memory) {
        Consumer<Batch> count = batch -> {
            computed.addAndGet(batch.tokens());
            gate.accept(batch);
        };
        return switch (memory) {
            case RECURRENT -> new ScriptedModel(VOCAB, count);
            case PAGED -> ScriptedModel.pagesOnly(VOCAB, count);
            case BOTH -> ScriptedModel.paged(VOCAB, count);
        };
    }

    @ParameterizedTest
    @EnumSource(PrefixCacheEngineTest.Memory.class)
    void thePromptIsReadOnceWithoutACache(PrefixCacheEngineTest.Memory memory) throws Exception {
        int[] prompt = prompt(201);
        for (Details details : List.of(Details.NONE, scores(OptionalInt.of(1)))) {
            computed.set(0);
            gate = new StepGate();
            ScriptedModel model = model(memory);
            try (Engine engine = new Engine(model, Settings.cached(3, 32, 4000, 0), EngineObserver.NONE)) {
                List<Recording> answers = submit(engine, choices(prompt, 8, 5, details));
                gate.open();
                for (Recording answer : answers) {
                    answer.finished();
                    assertThat(answer.ids()).isEqualTo(model.continuation(prompt, 5));
                    assertThat(answer.promptScores())
                            .isEqualTo(answers.getFirst().promptScores())
                            .hasSize(details.promptScores().isPresent() ? 200 : 0);
                }
                assertThat(answers.get(7).finished().tokens().cached()).isEqualTo(200);
                assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 3, true));
                // All memory is free again, or this could not run.
                submit(engine, choices(prompt(990), 1, 5, Details.NONE))
                        .getFirst()
                        .finished();
            }
            // The last token of an answer is never read.
            assertThat(computed.get() - 994).isEqualTo(200 + 8 * (1 + 4));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1 << 20})
    void whoeverGivesUpTheOthersGoOn(long cache) throws Exception {
        int[] prompt = prompt(100);
        ScriptedModel model = model(PrefixCacheEngineTest.Memory.BOTH);
        try (Engine engine = new Engine(model, Settings.cached(2, 16, 4000, cache), EngineObserver.NONE)) {
            List<Engine.Handle> handles = new ArrayList<>();
            List<Recording> answers = new ArrayList<>();
            for (TokenRequest request : choices(prompt, 4, 3, Details.NONE)) {
                answers.add(new Recording());
                handles.add(engine.submit(request, answers.getLast()));
            }
            gate.awaitStep();
            handles.getFirst().cancel();
            gate.pass();
            gate.awaitStep();
            handles.get(2).cancel();
            gate.open();
            assertThat(answers.get(0).finished().reason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(answers.get(2).finished().reason()).isEqualTo(FinishReason.CANCELLED);
            for (int i : new int[] {1, 3}) {
                answers.get(i).finished();
                assertThat(answers.get(i).ids()).isEqualTo(model.continuation(prompt, 3));
            }
        }
    }

    /** Twelve pages of four tokens for up to five sequences that need nine each. */
    @ParameterizedTest
    @EnumSource(PrefixCacheEngineTest.Memory.class)
    void littleMemoryCostsTimeAndNothingElse(PrefixCacheEngineTest.Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        gate.open();
        Random random = new Random(6);
        for (long cache : new long[] {0, 20_000}) {
            try (Engine engine = new Engine(model, Settings.cached(5, 16, 12 * 16, cache), EngineObserver.NONE)) {
                List<TokenRequest> requests = new ArrayList<>();
                for (int i = 0; i < 12; i++) {
                    Details details = i % 3 == 0 ? scores(OptionalInt.of(2)) : Details.NONE;
                    requests.addAll(choices(prompt(1 + random.nextInt(25)), 1 + random.nextInt(6), 12, details));
                }
                List<Recording> answers = submit(engine, requests);
                for (int i = 0; i < answers.size(); i++) {
                    TokenRequest request = requests.get(i);
                    answers.get(i).finished();
                    assertThat(answers.get(i).ids()).isEqualTo(model.continuation(request.prompt(), 12));
                    assertThat(answers.get(i).promptScores())
                            .hasSize(request.details().promptScores().isPresent() ? request.prompt().length - 1 : 0);
                }
                assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 5, true));
            }
        }
    }

    static Stream<Arguments> shapes() {
        return Stream.of(
                Arguments.of(new RandomModel.Shape(300, 64, 64, 96, 2, RandomModel.Convolution.SEPARATE, true, null)),
                Arguments.of(new RandomModel.Shape(
                        300, 48, 48, 72, 2, RandomModel.Convolution.NONE, true, new Attention.Heads(6, 2, 10))));
    }

    private record Told(List<EngineEvent.Token> tokens, List<TokenScore> promptScores) {}

    @ParameterizedTest
    @MethodSource("shapes")
    void aRealModelTellsEachWhatItWouldTellItAlone(RandomModel.Shape shape) throws Exception {
        int[] prompt = new Random(9).ints(110, 0, 300).toArray();
        List<TokenRequest> requests = new ArrayList<>();
        requests.addAll(choices(prompt, 6, 8, scores(OptionalInt.empty())));
        requests.addAll(choices(Arrays.copyOf(prompt, 70), 3, 8, scores(OptionalInt.of(3))));
        requests.addAll(choices(Arrays.copyOf(prompt, 2), 3, 8, scores(OptionalInt.of(1))));
        requests.addAll(choices(Arrays.copyOf(prompt, 1), 2, 8, scores(OptionalInt.of(1))));
        List<Told> alone = new ArrayList<>();
        try (Model model = RandomModel.of(shape, 11, KernelSelection.select("auto", 1))) {
            for (TokenRequest request : requests) {
                EngineSettings uncached = Settings.of(64, 1, 64, 64L << 20, Duration.ofSeconds(20));
                try (Engine engine = new Engine(model, uncached, EngineObserver.NONE)) {
                    alone.addAll(told(submit(engine, List.of(inGroup(request, PromptGroup.NONE)))));
                }
            }
        }
        for (int threads : new int[] {1, 2, 4}) {
            for (long cache : new long[] {0, 64 << 20}) {
                try (Model model = RandomModel.of(shape, 11, KernelSelection.select("auto", threads));
                        Engine engine = new Engine(
                                model, Settings.cached(5, 10 + 7 * threads, 64L << 20, cache), EngineObserver.NONE)) {
                    assertThat(told(submit(engine, regrouped(requests)))).isEqualTo(alone);
                }
            }
        }
    }

    private static List<Told> told(List<Recording> recordings) {
        List<Told> told = new ArrayList<>();
        for (Recording recording : recordings) {
            recording.finished();
            told.add(new Told(recording.tokens(), recording.promptScores()));
        }
        return told;
    }

    private static Details scores(OptionalInt ofPrompt) {
        return new Details(OptionalInt.of(1), ofPrompt, false);
    }

    private static List<TokenRequest> choices(int[] prompt, int count, int maxTokens, Details details) {
        PromptGroup group = new PromptGroup(count);
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SamplingParameters sampling = maxTokens == 8
                    ? new SamplingParameters(0.9, 0, 0.95, OptionalLong.of(i))
                    : SamplingParameters.GREEDY;
            requests.add(new TokenRequest(
                    "r" + i, prompt, new Ending(maxTokens, Set.of()), sampling, details, Urgency.NORMAL, group, 0));
        }
        return requests;
    }

    /** Returns the same requests in new groups: one is for one engine. */
    private static List<TokenRequest> regrouped(List<TokenRequest> requests) {
        List<TokenRequest> again = new ArrayList<>();
        PromptGroup group = PromptGroup.NONE;
        for (int i = 0; i < requests.size(); i++) {
            PromptGroup old = requests.get(i).group();
            if (i == 0 || requests.get(i - 1).group() != old) {
                group = new PromptGroup(
                        (int) requests.stream().filter(r -> r.group() == old).count());
            }
            again.add(inGroup(requests.get(i), group));
        }
        return again;
    }

    private static TokenRequest inGroup(TokenRequest request, PromptGroup group) {
        return new TokenRequest(
                request.id(),
                request.prompt(),
                request.ending(),
                request.sampling(),
                request.details(),
                request.urgency(),
                group,
                0);
    }

    private static int[] prompt(int length) {
        return new Random(length).ints(length, 0, VOCAB).toArray();
    }

    private static List<Recording> submit(Engine engine, List<TokenRequest> requests) throws EngineRejectedException {
        List<Recording> recordings = new ArrayList<>();
        for (TokenRequest request : requests) {
            Recording recording = new Recording();
            engine.submit(request, recording);
            recordings.add(recording);
        }
        return recordings;
    }
}
