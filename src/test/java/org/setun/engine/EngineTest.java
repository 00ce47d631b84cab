package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.model.Batch;
import org.setun.sampling.SamplingParameters;

@Timeout(60)
final class EngineTest {

    private static final int VOCAB = 97;

    @Test
    void aRequestIsContinuedToItsTokenLimit() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = {3, 1, 4, 1, 5};
        try (Engine engine = new Engine(model, settings(4, 16), EngineObserver.NONE)) {
            Recording recording = new Recording();
            engine.submit(greedy("a", prompt, 20), recording);
            assertThat(recording.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.LENGTH, new TokenCounts(5, 0, 20)));
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 20));
        }
    }

    @Test
    void aStopTokenEndsTheRequestAndIsReported() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = {7, 8};
        List<Integer> continuation = model.continuation(prompt, 50);
        int stop = continuation.get(9);
        int end = continuation.indexOf(stop) + 1;
        try (Engine engine = new Engine(model, settings(4, 16), EngineObserver.NONE)) {
            Recording recording = new Recording();
            engine.submit(new TokenRequest("a", prompt, 50, SamplingParameters.GREEDY, Set.of(stop)), recording);
            assertThat(recording.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.STOP, new TokenCounts(2, 0, end)));
            assertThat(recording.ids()).isEqualTo(continuation.subList(0, end));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 7", "1, 300", "3, 3", "3, 10", "8, 8", "8, 9", "8, 64", "32, 500"})
    void aRequestGivesTheSameBitsAloneAndAmongOthersWhateverTheTokenBudget(int maxSequences, int maxBatchTokens)
            throws Exception {
        long seed = 4711;
        List<TokenRequest> requests = randomRequests(new Random(seed), 40);
        ScriptedModel model = new ScriptedModel(VOCAB);
        List<List<EngineEvent.Token>> alone = new ArrayList<>();
        for (TokenRequest request : requests) {
            alone.add(run(model, settings(1, 1000), List.of(request)).getFirst());
        }
        assertThat(run(model, settings(maxSequences, maxBatchTokens), requests))
                .as("seed %d", seed)
                .isEqualTo(alone);
    }

    @Test
    void everyChunkOfARequestHasItsActivationSparsity() throws Exception {
        Map<Double, Integer> tokens = new ConcurrentHashMap<>();
        ScriptedModel model = new ScriptedModel(
                VOCAB,
                batch -> batch.chunks()
                        .forEach(chunk ->
                                tokens.merge(chunk.activationSparsity(), chunk.tokens().length, Integer::sum)));
        try (Engine engine = new Engine(model, settings(2, 4), EngineObserver.NONE)) {
            Recording sparse = new Recording();
            Recording plain = new Recording();
            engine.submit(
                    new TokenRequest("a", new int[30], 5, SamplingParameters.GREEDY, Set.of())
                            .withActivationSparsity(0.25),
                    sparse);
            engine.submit(new TokenRequest("b", new int[20], 3, SamplingParameters.GREEDY, Set.of()), plain);
            sparse.finished();
            plain.finished();
        }
        assertThat(tokens).containsExactlyInAnyOrderEntriesOf(Map.of(0.25, 34, 0.0, 22));
    }

    @Test
    void theTokensOfAStepStayWithinTheBudget() throws Exception {
        Set<Integer> sizes = ConcurrentHashMap.newKeySet();
        ScriptedModel model = new ScriptedModel(VOCAB, batch -> sizes.add(batch.tokens()));
        run(model, settings(5, 17), randomRequests(new Random(1), 40));
        assertThat(Collections.max(sizes)).isEqualTo(17);
    }

    @Test
    void anAbsentSeedIsDrawnForEachRequest() throws Exception {
        SamplingParameters unseeded = new SamplingParameters(1, 0, 1, OptionalLong.empty());
        List<TokenRequest> requests = IntStream.range(0, 2)
                .mapToObj(i -> new TokenRequest("r" + i, new int[] {1}, 40, unseeded, Set.of()))
                .toList();
        List<List<EngineEvent.Token>> answers = run(new ScriptedModel(VOCAB), settings(2, 8), requests);
        assertThat(answers.getFirst()).isNotEqualTo(answers.getLast());
    }

    @Test
    void aTokenOutsideTheVocabularyIsRefusedBeforeItCanFailABatch() {
        try (Engine engine = new Engine(new ScriptedModel(VOCAB), settings(1, 8), EngineObserver.NONE)) {
            for (int foreign : new int[] {-1, VOCAB}) {
                assertThatThrownBy(() -> engine.submit(greedy("a", new int[] {1, foreign}, 1), event -> {}))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("prompt[1]: expected a token id from 0 to 96, found " + foreign);
            }
        }
    }

    @Test
    void requestsBeyondTheQueueAreRejectedAndTheOthersFinish() throws Exception {
        StepGate gate = new StepGate();
        ScriptedModel model = new ScriptedModel(VOCAB, gate);
        try (Engine engine = new Engine(model, settings(3, 1, 8), EngineObserver.NONE)) {
            List<Recording> accepted = new ArrayList<>();
            accepted.add(submit(engine, greedy("running", new int[] {1}, 2)));
            gate.awaitStep();
            for (int i = 0; i < 3; i++) {
                accepted.add(submit(engine, greedy("waiting " + i, new int[] {1}, 2)));
            }
            assertThat(engine.status()).isEqualTo(new EngineStatus(1, 3, 0, true));
            assertThatThrownBy(() -> submit(engine, greedy("too many", new int[] {1}, 2)))
                    .isInstanceOfSatisfying(EngineRejectedException.class, rejected -> {
                        assertThat(rejected.reason()).isEqualTo(EngineRejectedException.Reason.QUEUE_FULL);
                        assertThat(rejected.retryAfter()).isPositive();
                        assertThat(rejected).hasMessage("the server is busy: 3 requests are waiting already");
                    });
            gate.open();
            for (Recording recording : accepted) {
                assertThat(recording.finished().reason()).isEqualTo(FinishReason.LENGTH);
            }
            assertThat(submit(engine, greedy("later", new int[] {1}, 2))
                            .finished()
                            .tokens()
                            .completion())
                    .isEqualTo(2);
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 1, true));
        }
    }

    @Test
    void promptsAreReadInOrderOfArrivalBesideStreamsThatNeverMissAStep() throws Exception {
        StepGate gate = new StepGate();
        try (Engine engine = new Engine(new ScriptedModel(VOCAB, gate), settings(4, 8), EngineObserver.NONE)) {
            submit(engine, greedy("stream", new int[] {1}, 100));
            gate.awaitStep();
            submit(engine, greedy("long", new int[20], 100));
            submit(engine, greedy("short", new int[4], 100));
            List<List<Integer>> steps = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                gate.pass();
                steps.add(chunkSizes(gate.awaitStep()));
            }
            assertThat(steps)
                    .containsExactly(
                            List.of(1, 7), List.of(1, 7), List.of(1, 6, 1), List.of(1, 1, 3), List.of(1, 1, 1));
            gate.open();
        }
    }

    @Test
    void anIdleEngineParksUntilTheNextRequest() throws Exception {
        try (Engine engine = new Engine(new ScriptedModel(VOCAB), settings(4, 16), EngineObserver.NONE)) {
            Thread engineThread = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("setun-engine"))
                    .findFirst()
                    .orElseThrow();
            for (int i = 0; i < 3; i++) {
                while (engineThread.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                assertThat(submit(engine, greedy("a", new int[] {1}, 3))
                                .finished()
                                .tokens()
                                .completion())
                        .isEqualTo(3);
            }
        }
    }

    @Test
    void aThousandRequestsFromManyThreadsAllFinish() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        try (Engine engine = new Engine(model, settings(1000, 16, 64), EngineObserver.NONE)) {
            List<Recording> recordings = Collections.synchronizedList(new ArrayList<>());
            List<Thread> clients = IntStream.range(0, 4)
                    .mapToObj(client -> Thread.ofPlatform().start(() -> {
                        for (int i = 0; i < 250; i++) {
                            int length = 1 + ThreadLocalRandom.current().nextInt(30);
                            recordings.add(submitUnchecked(engine, greedy(client + "." + i, new int[length], 10)));
                        }
                    }))
                    .toList();
            for (Thread client : clients) {
                client.join();
            }
            assertThat(recordings)
                    .hasSize(1000)
                    .allSatisfy(recording -> assertThat(
                                    recording.finished().tokens().completion())
                            .isEqualTo(10));
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 16, true));
        }
    }

    @Test
    void noSlotLeaksHoweverRequestsEnd() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        String rerun = "seed " + seed;
        ScriptedModel model = new ScriptedModel(VOCAB, batch -> {
            if (ThreadLocalRandom.current().nextInt(200) == 0) {
                throw new ScriptedFault("a scripted fault");
            }
        });
        try (Engine engine = new Engine(model, settings(64, 7, 20), EngineObserver.NONE)) {
            List<Recording> recordings = new ArrayList<>();
            List<Engine.Handle> handles = new ArrayList<>();
            int rejected = 0;
            for (TokenRequest request : randomRequests(random, 3000)) {
                Recording recording = new Recording();
                boolean consumerThrows = random.nextInt(20) == 0;
                try {
                    handles.add(engine.submit(request, event -> {
                        recording.accept(event);
                        if (consumerThrows) {
                            throw new ScriptedFault("a scripted consumer");
                        }
                    }));
                    recordings.add(recording);
                } catch (EngineRejectedException full) {
                    rejected++;
                    recordings.getLast().end();
                }
                if (random.nextInt(4) == 0 && !handles.isEmpty()) {
                    handles.get(random.nextInt(handles.size())).cancel();
                }
            }
            recordings.forEach(Recording::end);
            assertThat(engine.status()).as(rerun).isEqualTo(new EngineStatus(0, 0, 7, true));
            assertThat(recordings).as(rerun).hasSize(3000 - rejected);
        }
    }

    private static List<TokenRequest> randomRequests(Random random, int count) {
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SamplingParameters sampling = random.nextBoolean()
                    ? SamplingParameters.GREEDY
                    : new SamplingParameters(
                            0.5 + random.nextDouble(),
                            random.nextInt(VOCAB),
                            1 - 0.5 * random.nextDouble(),
                            OptionalLong.of(random.nextLong()));
            int[] prompt = random.ints(1 + random.nextInt(60), 0, VOCAB).toArray();
            requests.add(new TokenRequest(
                    "request " + i, prompt, 1 + random.nextInt(30), sampling, Set.of(random.nextInt(VOCAB))));
        }
        return requests;
    }

    /** Runs all requests at once and returns their tokens. */
    private static List<List<EngineEvent.Token>> run(
            ScriptedModel model, EngineSettings settings, List<TokenRequest> requests) throws Exception {
        try (Engine engine = new Engine(model, settings, EngineObserver.NONE)) {
            List<Recording> recordings = new ArrayList<>();
            for (TokenRequest request : requests) {
                recordings.add(submit(engine, request));
            }
            List<List<EngineEvent.Token>> tokens = new ArrayList<>();
            for (Recording recording : recordings) {
                assertThat(recording.finished().tokens().completion())
                        .isEqualTo(recording.tokens().size());
                tokens.add(recording.tokens());
            }
            return tokens;
        }
    }

    private static List<Integer> chunkSizes(Batch batch) {
        return batch.chunks().stream().map(chunk -> chunk.tokens().length).toList();
    }

    private static Recording submit(Engine engine, TokenRequest request) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(request, recording);
        return recording;
    }

    private static Recording submitUnchecked(Engine engine, TokenRequest request) {
        try {
            return submit(engine, request);
        } catch (EngineRejectedException e) {
            throw new AssertionError(e);
        }
    }

    private static TokenRequest greedy(String id, int[] prompt, int maxTokens) {
        return new TokenRequest(id, prompt, maxTokens, SamplingParameters.GREEDY, Set.of());
    }

    private static EngineSettings settings(int maxSequences, int maxBatchTokens) {
        return settings(256, maxSequences, maxBatchTokens);
    }

    private static EngineSettings settings(int maxQueuedRequests, int maxSequences, int maxBatchTokens) {
        return Settings.of(maxQueuedRequests, maxSequences, maxBatchTokens, 0, Duration.ofSeconds(20));
    }
}
