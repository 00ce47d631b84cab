package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.sampling.SamplingParameters;

@Timeout(60)
final class EngineObserverTest {

    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());

    private final EngineObserver observer = new EngineObserver() {
        @Override
        public void requestQueued(String id, int promptTokens) {
            seen.add("queued " + id + " " + promptTokens);
        }

        @Override
        public void requestRejected(String id, EngineRejectedException.Reason reason) {
            seen.add("rejected " + id + " " + reason);
        }

        @Override
        public void requestStarted(String id, Duration waited, TokenCounts tokens) {
            seen.add("started " + id + " " + waited.toSeconds());
        }

        @Override
        public void firstToken(String id, Duration sinceSubmission) {
            seen.add("first " + id + " " + sinceSubmission.toSeconds());
        }

        @Override
        public void nextToken(String id, Duration sincePrevious) {
            seen.add("next " + id + " " + sincePrevious.toSeconds());
        }

        @Override
        public void requestFinished(RequestReport report, FinishReason reason) {
            seen.add("finished " + reason + " " + report);
        }

        @Override
        public void requestFailed(RequestReport report, Throwable cause) {
            seen.add("failed " + report.id() + " " + cause.getMessage());
        }

        @Override
        public void stepFinished(StepReport report) {
            seen.add("step " + report);
        }
    };

    @Test
    void theWayOfARequestIsSeenWithItsDurations() throws Exception {
        // Each forward pass takes ten seconds of the manual clock.
        AtomicLong clock = new AtomicLong();
        ScriptedModel model = new ScriptedModel(97, batch -> clock.addAndGet(10_000_000_000L));
        try (Engine engine = new Engine(model, settings(), observer, clock::get)) {
            Recording recording = new Recording();
            engine.submit(request("a", 6, 3), recording);
            recording.finished();
        }
        Duration step = Duration.ofSeconds(10);
        assertThat(seen)
                .containsExactly(
                        "queued a 6",
                        "started a 0",
                        "step " + new StepReport(1, 4, 0, step),
                        "first a 20",
                        "step " + new StepReport(1, 2, 0, step),
                        "next a 10",
                        "step " + new StepReport(1, 0, 1, step),
                        "next a 10",
                        "finished LENGTH "
                                + new RequestReport(
                                        "a",
                                        new TokenCounts(6, 0, 3),
                                        Duration.ZERO,
                                        Duration.ofSeconds(20),
                                        Duration.ofSeconds(20)),
                        "step " + new StepReport(1, 0, 1, step));
    }

    @Test
    void rejectionsAndFailuresAreSeen() throws Exception {
        ScriptedModel model = new ScriptedModel(97, batch -> {
            throw new ScriptedFault("a scripted fault");
        });
        try (Engine engine = new Engine(model, settings(), observer)) {
            Recording recording = new Recording();
            engine.submit(request("a", 1, 3), recording);
            recording.failure();
            engine.drain();
            try {
                engine.submit(request("b", 1, 3), event -> {});
            } catch (EngineRejectedException expected) {
                seen.add("refused b");
            }
        }
        assertThat(seen)
                .containsExactly(
                        "queued a 1", "started a 0", "failed a a scripted fault", "rejected b DRAINING", "refused b");
    }

    private static EngineSettings settings() {
        return Settings.of(4, 2, 4, 0, Duration.ofSeconds(20));
    }

    private static TokenRequest request(String id, int promptTokens, int maxTokens) {
        return new TokenRequest(id, new int[promptTokens], maxTokens, SamplingParameters.GREEDY, Set.of());
    }
}
