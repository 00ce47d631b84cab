package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.model.Batch;
import org.setun.sampling.SamplingParameters;

/** How requests end before their time: by their owners, by faults and by the engine's close. */
@Timeout(60)
final class EngineEndingTest {

    private final StepGate gate = new StepGate();

    @Test
    void aCancelledStreamEndsBeforeItsNextStep() throws Exception {
        try (Engine engine = engine(2, gate)) {
            Recording recording = new Recording();
            Engine.Handle handle = engine.submit(request("a", 1), recording);
            Recording other = new Recording();
            gate.awaitStep();
            engine.submit(request("b", 1), other);
            gate.pass();
            gate.awaitStep();
            handle.cancel();
            handle.cancel();
            gate.pass();
            Batch next = gate.awaitStep();
            assertThat(next.chunks()).hasSize(1);
            assertThat(recording.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.CANCELLED, new TokenCounts(1, 0, 2)));
            assertThat(engine.status()).isEqualTo(new EngineStatus(1, 0, 1, true));
            gate.open();
            assertThat(other.finished().reason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void aRequestCancelledInPrefillGivesItsSlotToTheNext() throws Exception {
        try (Engine engine = engine(1, gate)) {
            Recording recording = new Recording();
            Engine.Handle handle = engine.submit(request("long", 1000), recording);
            gate.awaitStep();
            Recording waiting = new Recording();
            engine.submit(request("waiting", 3), waiting);
            handle.cancel();
            gate.pass();
            assertThat(gate.awaitStep().chunks().getFirst().tokens()).hasSize(3);
            assertThat(recording.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.CANCELLED, new TokenCounts(1000, 0, 0)));
            gate.open();
            assertThat(waiting.finished().reason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void aRequestCancelledInTheQueueNeverRuns() throws Exception {
        try (Engine engine = engine(1, gate)) {
            Recording running = new Recording();
            engine.submit(request("running", 1), running);
            gate.awaitStep();
            Recording recording = new Recording();
            engine.submit(request("waiting", 1), recording).cancel();
            gate.pass();
            gate.awaitStep();
            assertThat(recording.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.CANCELLED, new TokenCounts(1, 0, 0)));
            assertThat(engine.status()).isEqualTo(new EngineStatus(1, 0, 0, true));
            gate.open();
            assertThat(running.finished().tokens().completion()).isEqualTo(5);
        }
    }

    @Test
    void theFirstWishToEndCounts() throws Exception {
        try (Engine engine = engine(1, gate)) {
            Recording recording = new Recording();
            Engine.Handle handle = engine.submit(request("a", 1), recording);
            gate.awaitStep();
            handle.stop();
            handle.cancel();
            gate.open();
            assertThat(recording.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.STOP, new TokenCounts(1, 0, 1)));
            handle.cancel();
        }
    }

    @Test
    void aStepThatThrowsFailsTheRequestThatIsTheReasonAndNoOther() throws Exception {
        RuntimeException fault = new ScriptedFault("a scripted fault");
        Consumer<Batch> throwing = batch -> {
            gate.accept(batch);
            if (batch.chunks().stream().anyMatch(chunk -> chunk.tokens().length == 12)) {
                throw fault;
            }
        };
        ScriptedModel model = new ScriptedModel(97);
        try (Engine engine = engine(4, throwing)) {
            Recording one = new Recording();
            Recording two = new Recording();
            Recording three = new Recording();
            engine.submit(request("one", 1), one);
            gate.awaitStep();
            engine.submit(request("two", 12), two);
            engine.submit(request("three", 3), three);
            gate.open();
            assertThat(two.failure()).isSameAs(fault);
            assertThat(one.finished().tokens()).isEqualTo(new TokenCounts(1, 0, 5));
            assertThat(one.ids()).isEqualTo(model.continuation(new int[1], 5));
            assertThat(three.finished().tokens()).isEqualTo(new TokenCounts(3, 0, 5));
            assertThat(three.ids()).isEqualTo(model.continuation(new int[3], 5));
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 4, true));
        }
    }

    @Test
    void aModelThatAlwaysThrowsFailsEveryRequest() throws Exception {
        gate.open();
        RuntimeException fault = new ScriptedFault("a scripted fault");
        try (Engine engine = engine(3, batch -> {
            throw fault;
        })) {
            List<Recording> recordings = List.of(new Recording(), new Recording(), new Recording(), new Recording());
            for (Recording recording : recordings) {
                engine.submit(request("r", 7), recording);
            }
            assertThat(recordings)
                    .allSatisfy(recording -> assertThat(recording.failure()).isSameAs(fault));
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 3, true));
        }
    }

    @Test
    void aRequestEndsWhenItsTimeIsOverWhereverItIs() throws Exception {
        AtomicLong clock = new AtomicLong();
        ScriptedModel model = new ScriptedModel(97, batch -> {
            gate.accept(batch);
            clock.addAndGet(10_000_000_000L);
        });
        try (Engine engine = new Engine(model, settings(1, Duration.ofSeconds(20)), EngineObserver.NONE, clock::get)) {
            Recording running = new Recording();
            Recording waiting = new Recording();
            Recording patient = new Recording();
            engine.submit(timed("running", Duration.ofSeconds(25)), running);
            gate.awaitStep();
            engine.submit(timed("waiting", Duration.ofSeconds(15)), waiting);
            engine.submit(timed("patient", Duration.ofSeconds(1000)), patient);
            gate.open();
            assertThat(running.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.TIMEOUT, new TokenCounts(1, 0, 3)));
            assertThat(waiting.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.TIMEOUT, new TokenCounts(1, 0, 0)));
            assertThat(patient.finished().reason()).isEqualTo(FinishReason.LENGTH);
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 1, true));
        }
    }

    @Test
    void logitsThatAreNoNumbersFailTheirOwnRequestOnly() throws Exception {
        ScriptedModel model = new ScriptedModel(97, gate, (batch, workspace) -> {
            if (batch.chunks().size() == 2) {
                workspace.logits()[workspace.logitsOffset(1) + 5] = Float.NaN;
            }
        });
        try (Engine engine = new Engine(model, settings(2, Duration.ofSeconds(20)), EngineObserver.NONE)) {
            Recording good = new Recording();
            Recording bad = new Recording();
            engine.submit(request("good", 1), good);
            gate.awaitStep();
            engine.submit(request("bad", 1), bad);
            gate.open();
            assertThat(bad.failure()).hasMessageContaining("logit of token 5");
            assertThat(good.finished().tokens().completion()).isEqualTo(5);
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 2, true));
        }
    }

    @Test
    void aConsumerThatThrowsEndsItsOwnRequestOnly() throws Exception {
        try (Engine engine = engine(2, gate)) {
            RuntimeException fault = new ScriptedFault("a scripted consumer");
            Recording bad = new Recording();
            Recording good = new Recording();
            engine.submit(request("bad", 1), event -> {
                bad.accept(event);
                if (bad.tokens().size() == 2) {
                    throw fault;
                }
            });
            engine.submit(request("good", 1), good);
            gate.open();
            assertThat(bad.failure()).isSameAs(fault);
            assertThat(bad.ids()).hasSize(2);
            assertThat(good.finished().tokens().completion()).isEqualTo(5);
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 2, true));
        }
    }

    @Test
    void anObserverThatThrowsCannotStopTheEngine() throws Exception {
        EngineObserver throwing = new EngineObserver() {
            @Override
            public void requestStarted(String id, Duration waited, TokenCounts tokens) {
                if (id.equals("first")) {
                    throw new ScriptedFault("a scripted observer");
                }
            }

            @Override
            public void requestFailed(RequestReport report, Throwable cause) {
                throw new ScriptedFault("a scripted observer of failures");
            }
        };
        gate.open();
        try (Engine engine = new Engine(new ScriptedModel(97, gate), settings(2, Duration.ofSeconds(20)), throwing)) {
            Recording first = new Recording();
            engine.submit(request("first", 1), first);
            assertThat(first.failure()).hasMessage("a scripted observer");
            Recording second = new Recording();
            engine.submit(request("second", 1), second);
            assertThat(second.finished().tokens().completion()).isEqualTo(5);
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 2, true));
        }
    }

    @Test
    void aDrainingEngineTakesNothingNewAndFinishesWhatItHas() throws Exception {
        Recording running = new Recording();
        Recording waiting = new Recording();
        Engine engine = engine(1, gate);
        try (engine) {
            engine.submit(request("running", 1), running);
            engine.submit(request("waiting", 1), waiting);
            gate.awaitStep();
            engine.drain();
            assertThat(engine.status().accepting()).isFalse();
            assertThatThrownBy(() -> engine.submit(request("late", 1), event -> {}))
                    .isInstanceOfSatisfying(
                            EngineRejectedException.class,
                            rejected ->
                                    assertThat(rejected.reason()).isEqualTo(EngineRejectedException.Reason.DRAINING));
            gate.open();
        }
        assertThat(running.hasEnded()).isTrue();
        assertThat(running.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(waiting.finished().reason()).isEqualTo(FinishReason.LENGTH);
        engine.close();
        assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 1, false));
    }

    @Test
    void closeFailsWhatDoesNotFinishInTime() throws Exception {
        Engine engine = new Engine(new ScriptedModel(97, gate), settings(1, Duration.ZERO), EngineObserver.NONE);
        Recording running = new Recording();
        Recording waiting = new Recording();
        engine.submit(request("running", 1), running);
        engine.submit(request("waiting", 1), waiting);
        gate.awaitStep();
        Thread closing = Thread.ofPlatform().start(engine::close);
        while (closing.getState() != Thread.State.WAITING) {
            Thread.onSpinWait(); // until it has told the engine thread to end and waits for it
        }
        gate.open();
        closing.join();
        assertThat(running.ids()).hasSize(1);
        for (Recording recording : List.of(running, waiting)) {
            assertThat(recording.hasEnded()).isTrue();
            assertThat(recording.failure())
                    .isInstanceOfSatisfying(
                            EngineRejectedException.class,
                            rejected ->
                                    assertThat(rejected.reason()).isEqualTo(EngineRejectedException.Reason.DRAINING));
        }
    }

    @Test
    void anEventConsumerCannotCloseTheEngineThatCallsIt() throws Exception {
        gate.open();
        try (Engine engine = engine(1, gate)) {
            Runnable close = engine::close;
            Recording recording = new Recording();
            engine.submit(request("a", 1), event -> {
                recording.accept(event);
                close.run();
            });
            assertThat(recording.failure()).hasMessageContaining("cannot close the engine");
        }
    }

    private static TokenRequest timed(String id, Duration timeout) {
        return new TokenRequest(
                id,
                new int[1],
                new Ending(5, Set.of()),
                SamplingParameters.GREEDY,
                Details.NONE,
                new Urgency(0, Optional.of(timeout)),
                0);
    }

    private static Engine engine(int maxSequences, Consumer<Batch> beforeForward) {
        return new Engine(
                new ScriptedModel(97, beforeForward),
                settings(maxSequences, Duration.ofSeconds(20)),
                EngineObserver.NONE);
    }

    private static EngineSettings settings(int maxSequences, Duration drainTimeout) {
        return Settings.of(16, maxSequences, 64, 0, drainTimeout);
    }

    /** Returns a request of five tokens after a prompt of the given length. */
    private static TokenRequest request(String id, int promptTokens) {
        return new TokenRequest(id, new int[promptTokens], 5, SamplingParameters.GREEDY, Set.of());
    }
}
