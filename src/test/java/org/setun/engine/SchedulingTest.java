package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.EngineRejectedException.Reason;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;
import org.setun.sampling.SamplingParameters;

/** Who runs, who waits, and who has to give way. */
@Timeout(60)
final class SchedulingTest {

    private static final int VOCAB = 97;

    private final StepGate gate = new StepGate();

    @Test
    void theMoreUrgentRequestComesFirstAndOfEqualsTheEarlier() throws Exception {
        ConcurrentLinkedQueue<String> started = new ConcurrentLinkedQueue<>();
        EngineObserver observer = new EngineObserver() {
            @Override
            public void requestStarted(String id, Duration waited, TokenCounts tokens) {
                started.add(id);
            }
        };
        EngineSettings settings = Settings.of(16, 1, 8, 0, Duration.ofSeconds(20));
        try (Engine engine = new Engine(new ScriptedModel(VOCAB, gate), settings, observer)) {
            List<Recording> recordings = new ArrayList<>();
            recordings.add(submit(engine, request("first", 0)));
            gate.awaitStep();
            recordings.add(submit(engine, request("late", 5)));
            recordings.add(submit(engine, request("normal", 0)));
            recordings.add(submit(engine, request("normal too", 0)));
            recordings.add(submit(engine, request("urgent", -3)));
            gate.open();
            recordings.forEach(Recording::finished);
        }
        assertThat(started).containsExactly("first", "urgent", "normal", "normal too", "late");
    }

    @Test
    void callersTakeTurns() throws Exception {
        // Each has a prompt of one token and generates two.
        assertThat(order(
                        1,
                        List.of(
                                of("a", "a1", 1, 0),
                                of("a", "a2", 1, 0),
                                of("a", "a3", 1, 0),
                                of("b", "b1", 1, 0),
                                of("b", "b2", 1, 0),
                                of("c", "c1", 1, 0))))
                .containsExactly("a1", "b1", "c1", "a2", "b2", "a3");
    }

    @Test
    void whoHasHundredsOfRequestsDoesNotKeepOneOfAnotherWaiting() throws Exception {
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            requests.add(of("a", "a" + i, 3, 0));
        }
        requests.add(of("b", "b", 3, 0));
        List<String> started = order(4, requests);
        assertThat(started.indexOf("b")).isBetween(1, 4);
        assertThat(started.stream().filter(id -> id.startsWith("a")))
                .isEqualTo(IntStream.range(0, 200).mapToObj(i -> "a" + i).toList());
    }

    @Test
    void whatOneHasNotUsedIsNotSavedUp() throws Exception {
        List<TokenRequest> requests = new ArrayList<>();
        requests.add(of("a", "a0", 500, 0));
        for (int i = 1; i < 6; i++) {
            requests.add(of("a", "a" + i, 50, 0));
        }
        // With 500 tokens to his credit b would go first ten times.
        for (int i = 1; i < 6; i++) {
            requests.add(of("b", "b" + i, 50, 0));
        }
        assertThat(order(1, requests))
                .containsExactly("a0", "b1", "a1", "b2", "a2", "b3", "a3", "b4", "a4", "b5", "a5");
    }

    @Test
    void thePriorityCountsBeforeTheTurn() throws Exception {
        assertThat(order(
                        1,
                        List.of(
                                of("a", "a1", 1, 0),
                                of("a", "a2", 1, 0),
                                of("b", "b1", 1, 1),
                                of("a", "a3", 1, 0),
                                of("a", "a4", 1, -1),
                                of("a", "a5", 1, -1))))
                .containsExactly("a1", "a4", "a5", "a2", "a3", "b1");
    }

    @Test
    void tenThousandThatWaitEndWhenTheirTimeIsOverOrNobodyWantsThem() throws Exception {
        AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000_000);
        EngineSettings settings = Settings.of(20_000, 1, 8, 0, Duration.ofSeconds(20));
        try (Engine engine = new Engine(new ScriptedModel(VOCAB, gate), settings, EngineObserver.NONE, nanos::get)) {
            Recording running = submit(engine, request("running", 1, -1));
            gate.awaitStep();
            List<Recording> recordings = new ArrayList<>();
            List<Engine.Handle> handles = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                Optional<Duration> timeout =
                        i % 2 == 0 ? Optional.of(Duration.ofMillis(1 + i % 100)) : Optional.empty();
                recordings.add(new Recording());
                handles.add(engine.submit(request("r" + i, 1, new Urgency(i % 7, timeout)), recordings.getLast()));
            }
            nanos.addAndGet(Duration.ofMillis(50).toNanos());
            for (int i = 1; i < 10_000; i += 4) {
                handles.get(i).cancel();
            }
            gate.open();
            running.finished();
            for (int i = 0; i < 10_000; i++) {
                FinishReason expected = i % 4 == 1
                        ? FinishReason.CANCELLED
                        : i % 2 == 0 && 1 + i % 100 <= 50 ? FinishReason.TIMEOUT : FinishReason.LENGTH;
                assertThat(recordings.get(i).finished().reason())
                        .as("request %d", i)
                        .isEqualTo(expected);
            }
        }
    }

    /** Submits requests while the first one's first step stands, and returns the order in which they start. */
    private List<String> order(int slots, List<TokenRequest> requests) throws Exception {
        ConcurrentLinkedQueue<String> started = new ConcurrentLinkedQueue<>();
        EngineObserver observer = new EngineObserver() {
            @Override
            public void requestStarted(String id, Duration waited, TokenCounts tokens) {
                started.add(id);
            }
        };
        EngineSettings settings = Settings.of(256, slots, 64, 0, Duration.ofSeconds(20));
        try (Engine engine = new Engine(new ScriptedModel(VOCAB, gate), settings, observer)) {
            List<Recording> recordings = new ArrayList<>();
            for (TokenRequest request : requests) {
                recordings.add(submit(engine, request));
                if (recordings.size() == 1) {
                    gate.awaitStep();
                }
            }
            gate.open();
            recordings.forEach(Recording::finished);
        }
        return List.copyOf(started);
    }

    private static TokenRequest of(String caller, String id, int promptTokens, int priority) {
        return request(id, promptTokens, new Urgency(priority, Optional.empty(), caller));
    }

    @Test
    void moreTokensThanMayWaitAreRefusedButOneAloneIsTaken() throws Exception {
        EngineSettings settings = new EngineSettings(
                new QueueLimits(16, 50), new BatchLimits(1, 8, 2), new MemoryLimits(0, 0), Duration.ofSeconds(20));
        try (Engine engine = new Engine(new ScriptedModel(VOCAB, gate), settings, EngineObserver.NONE)) {
            List<Recording> recordings = new ArrayList<>();
            recordings.add(submit(engine, request("running", 4, 0)));
            gate.awaitStep();
            Recording large = submit(engine, request("large alone", 500, 0));
            assertThatThrownBy(() -> submit(engine, request("one more", 1, 0)))
                    .isInstanceOfSatisfying(EngineRejectedException.class, rejected -> {
                        assertThat(rejected.reason()).isEqualTo(Reason.TOKENS_FULL);
                        assertThat(rejected.retryAfter()).isPositive();
                    })
                    .hasMessageContaining("more than 50 tokens");
            gate.open();
            large.finished();
            recordings.add(submit(engine, request("again", 1, 0)));
            recordings.forEach(Recording::finished);
        }
    }

    /** Ten pages of four tokens for sequences that come to need up to ten each. */
    @ParameterizedTest
    @ValueSource(ints = {0, 20_000})
    void whoComesLastGivesItsMemoryToTheOthersAndGoesOnLater(int snapshots) throws Exception {
        Random random = new Random(3);
        ConcurrentLinkedQueue<Integer> firstChunks = new ConcurrentLinkedQueue<>();
        ScriptedModel model = ScriptedModel.paged(
                VOCAB,
                batch -> batch.chunks().stream()
                        .filter(chunk -> chunk.position() == 0)
                        .forEach(chunk -> firstChunks.add(chunk.tokens().length)));
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            int[] prompt = random.ints(1 + random.nextInt(8), 0, VOCAB).toArray();
            SamplingParameters sampling =
                    i % 2 == 0 ? SamplingParameters.GREEDY : new SamplingParameters(1, 0, 1, OptionalLong.of(i));
            requests.add(new TokenRequest("r" + i, prompt, 20 + random.nextInt(13), sampling, Set.of()));
        }
        List<List<Integer>> alone = new ArrayList<>();
        for (TokenRequest request : requests) {
            EngineSettings settings = Settings.of(64, 1, 16, 1 << 20, Duration.ofSeconds(20));
            try (Engine engine = new Engine(model, settings, EngineObserver.NONE)) {
                Recording recording = submit(engine, request);
                recording.finished();
                alone.add(recording.ids());
            }
        }
        firstChunks.clear();
        try (Engine engine = new Engine(model, Settings.cached(8, 16, 160, snapshots), EngineObserver.NONE)) {
            List<Recording> recordings = new ArrayList<>();
            for (TokenRequest request : requests) {
                recordings.add(submit(engine, request));
            }
            for (int i = 0; i < requests.size(); i++) {
                assertThat(recordings.get(i).finished().reason()).isEqualTo(FinishReason.LENGTH);
                assertThat(recordings.get(i).ids()).isEqualTo(alone.get(i));
            }
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 8, true));
        }
        if (snapshots == 0) {
            assertThat(firstChunks.size()).as("beginnings").isGreaterThan(40);
        }
    }

    private static TokenRequest request(String id, int priority) {
        return request(id, 1, priority);
    }

    private static TokenRequest request(String id, int promptTokens, int priority) {
        return request(id, promptTokens, new Urgency(priority, Optional.empty()));
    }

    private static TokenRequest request(String id, int promptTokens, Urgency urgency) {
        return new TokenRequest(
                id,
                new int[promptTokens],
                new Ending(2, Set.of()),
                SamplingParameters.GREEDY,
                Details.NONE,
                urgency,
                0);
    }

    private static Recording submit(Engine engine, TokenRequest request) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(request, recording);
        return recording;
    }
}
