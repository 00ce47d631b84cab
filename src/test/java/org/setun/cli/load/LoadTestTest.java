package org.setun.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.setun.cli.load.FakeServer.Reply.send;

import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The generator against a server that behaves and misbehaves as told. */
@Timeout(60)
final class LoadTestTest {

    private static final String TEXT = "data: {\"choices\":[{\"index\":0,\"text\":\"a\"}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    private final List<String> notes = new ArrayList<>();

    private static LoadPlan plan(FakeServer server, int requests) {
        return LoadPlans.of(server.uri().toString(), Endpoint.COMPLETIONS, LoadPlans.WORKLOAD, requests, 1);
    }

    private static LoadPlan limited(LoadPlan plan, OptionalInt concurrency, Duration timeout) {
        return new LoadPlan(
                plan.server(),
                plan.endpoint(),
                plan.apiKey(),
                plan.model(),
                plan.vocabSize(),
                plan.workload(),
                plan.arrivals(),
                concurrency,
                timeout,
                plan.seed());
    }

    private static LoadPlan named(LoadPlan plan, String key, String model) {
        return new LoadPlan(
                plan.server(),
                plan.endpoint(),
                Optional.of(key),
                Optional.of(model),
                plan.vocabSize(),
                plan.workload(),
                plan.arrivals(),
                plan.concurrency(),
                plan.timeout(),
                plan.seed());
    }

    private LoadReport run(LoadPlan plan) throws Exception {
        return LoadTest.run(plan, notes::add);
    }

    @Test
    void everythingIsCountedAndTimed() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> reply.completion(10, 4, 5))) {
            LoadReport report = run(plan(server, 20));
            assertThat(report.sent()).isEqualTo(20);
            assertThat(report.completed()).isEqualTo(20);
            assertThat(report.rejected() + report.failed()).isZero();
            assertThat(report.promptTokens()).isEqualTo(200);
            assertThat(report.cachedTokens()).isEqualTo(80);
            assertThat(report.outputTokens()).isEqualTo(100);
            assertThat(report.uncounted()).isZero();
            assertThat(report.timeToFirstToken().count()).isEqualTo(20);
            assertThat(report.interToken().count()).isEqualTo(80);
            assertThat(report.timePerOutputToken().count()).isEqualTo(20);
            assertThat(report.endToEnd().count()).isEqualTo(20);
            assertThat(report.sendDelay().count()).isEqualTo(20);
            Latency latency = report.endToEnd();
            assertThat(latency.p50()).isPositive().isLessThanOrEqualTo(latency.p90());
            assertThat(latency.p90()).isLessThanOrEqualTo(latency.p99());
            assertThat(latency.p99()).isLessThanOrEqualTo(latency.max());
            assertThat(latency.mean()).isBetween(0.0, latency.max());
            assertThat(report.timeToFirstToken().max()).isLessThanOrEqualTo(latency.max());
            assertThat(latency.max() / 1e3).isLessThanOrEqualTo(report.durationSeconds() + 0.01);
            assertThat(report.requestsPerSecond() * report.durationSeconds()).isBetween(19.99, 20.01);
            assertThat(report.outputTokensPerSecond())
                    .isCloseTo(report.requestsPerSecond() * 5, withinPercentage(0.01));
            assertThat(report.totalTokensPerSecond())
                    .isCloseTo(report.requestsPerSecond() * 15, withinPercentage(0.01));
            assertThat(report.promptForm()).isEqualTo("token_ids");
            assertThat(report.model()).isEqualTo("tern");
            assertThat(server.bodies()).allMatch(body -> body.get("prompt").size() == 10);
            assertThat(notes).containsExactly("tern at " + server.uri() + ": sending 20 requests at once");
        }
    }

    @Test
    void requestsAreSentThoughNoneBeforeWasAnswered() throws Exception {
        CountDownLatch allArrived = new CountDownLatch(100);
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            allArrived.countDown();
            allArrived.await();
            reply.completion(10, 0, 2);
        })) {
            LoadReport report = run(new LoadPlan(
                    server.uri(),
                    Endpoint.COMPLETIONS,
                    Optional.empty(),
                    Optional.empty(),
                    OptionalInt.of(9),
                    LoadPlans.WORKLOAD,
                    new Arrivals(1000, OptionalInt.of(100), null),
                    OptionalInt.empty(),
                    Duration.ofSeconds(50),
                    1));
            assertThat(report.completed()).isEqualTo(100);
            assertThat(report.mostConcurrent()).isEqualTo(100);
            assertThat(report.rate()).isEqualTo(1000);
        }
    }

    @Test
    void whatWaitsForItsTurnWaitsOnTheServersAccount() throws Exception {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            OutputStream out = reply.stream();
            send(out, TEXT);
            running.decrementAndGet();
            send(out, DONE);
        })) {
            LoadReport report = run(limited(plan(server, 50), OptionalInt.of(2), Duration.ofSeconds(50)));
            assertThat(report.completed()).isEqualTo(50);
            assertThat(report.mostConcurrent()).isEqualTo(2);
            assertThat(most.get()).isLessThanOrEqualTo(2);
            assertThat(report.timeToFirstToken().max())
                    .isGreaterThanOrEqualTo(report.sendDelay().max());
            // All were to be sent at the beginning: the last of them took as long as everything.
            assertThat(report.endToEnd().max() / 1e3).isGreaterThan(0.9 * report.durationSeconds());
        }
    }

    @Test
    void everyKindOfFailureIsNamed() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            switch (index % 10) {
                case 0 -> reply.completion(10, 0, 5);
                case 1 -> reply.whole(429, "application/json", "{\"error\":{\"message\":\"busy\"}}");
                case 2 -> reply.whole(500, "application/json", "{\"error\":{\"message\":\"it broke\"}}");
                case 3 -> reply.whole(503, "text/plain", "draining\n");
                case 4 -> send(reply.stream(), TEXT + TEXT);
                case 5 -> send(reply.stream(), "data: {\"choices\":[\n\n");
                case 6 -> send(reply.stream(), TEXT + "data: {\"error\":{\"message\":\"step failed\"}}\n\n" + DONE);
                case 7 -> reply.whole(200, "text/html", "<html>");
                case 8 -> send(reply.stream(), "data: [1]\n\n" + DONE);
                default -> {
                    OutputStream out = reply.stream();
                    send(out, TEXT);
                    // The connection is cut within a chunk.
                    throw new IllegalStateException("cut");
                }
            }
        })) {
            LoadReport report = run(plan(server, 40));
            assertThat(report.completed()).isEqualTo(4);
            assertThat(report.rejected()).isEqualTo(4);
            assertThat(report.failed()).isEqualTo(32);
            assertThat(report.errors().stream()
                            .collect(Collectors.toMap(LoadReport.ErrorKind::kind, LoadReport.ErrorKind::count)))
                    .containsOnly(
                            Map.entry("status_500", 4L),
                            Map.entry("status_503", 4L),
                            Map.entry("broken_stream", 8L),
                            Map.entry("malformed_stream", 12L),
                            Map.entry("error_event", 4L));
            assertThat(report.errors())
                    .contains(new LoadReport.ErrorKind("status_500", 4, "it broke"))
                    .contains(new LoadReport.ErrorKind("status_503", 4, "draining"))
                    .contains(new LoadReport.ErrorKind("error_event", 4, "step failed"));
            assertThat(report.outputTokens()).isEqualTo(20);
            assertThat(report.endToEnd().count()).isEqualTo(4);
            assertThat(report.sendDelay().count()).isEqualTo(40);
        }
    }

    @Test
    void aStreamWithoutAnEndIsGivenUp() throws Exception {
        CountDownLatch tested = new CountDownLatch(1);
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            if (index == 1) {
                // Not even a head.
                tested.await();
            }
            send(reply.stream(), TEXT);
            tested.await();
        })) {
            LoadReport report = run(limited(plan(server, 2), OptionalInt.empty(), Duration.ofMillis(1500)));
            assertThat(report.errors())
                    .containsExactly(new LoadReport.ErrorKind("timeout", 2, "no whole answer within 1.5 s"));
        } finally {
            tested.countDown();
        }
    }

    @Test
    void piecesAreCountedWhereTheServerDoesNot() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            OutputStream out = reply.stream();
            for (String text : List.of("", "one", " two", " three")) {
                send(out, "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}],\"usage\":null}\n\n");
            }
            send(out, DONE);
        })) {
            server.listing(200, "{\"data\":[{\"id\":\"a/b\",\"meta\":{\"n_vocab\":77}}]}");
            LoadReport report = run(LoadPlans.of(server.uri().toString(), Endpoint.CHAT, LoadPlans.WORKLOAD, 2, 1));
            assertThat(report.url()).isEqualTo(server.uri() + "/v1/chat/completions");
            assertThat(report.outputTokens()).isEqualTo(6);
            assertThat(report.promptTokens()).isZero();
            assertThat(report.uncounted()).isEqualTo(2);
            assertThat(report.interToken().count()).isEqualTo(4);
            assertThat(report.promptForm()).isEqualTo("words");
        }
    }

    @Test
    void keyAndModelAreSent() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> reply.completion(1, 0, 1))) {
            // llama-server takes any name, and others need not have a list.
            server.listing(404, "");
            LoadReport report = run(named(plan(server, 1), "sk-1", "org/mine"));
            assertThat(server.keys()).containsExactly("Bearer sk-1", "Bearer sk-1");
            assertThat(server.bodies().getFirst().get("model").stringValue()).isEqualTo("org/mine");
            assertThat(report.model()).isEqualTo("org/mine");
            assertThat(report.promptForm()).isEqualTo("words");
        }
    }

    @Test
    void llamaServersVocabularyIsFound() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> reply.completion(1, 0, 1))) {
            server.listing(200, "{\"data\":[{\"id\":\"x\"},{\"id\":\"org/mine\",\"meta\":{\"n_vocab\":3}}]}");
            run(named(plan(server, 1), "k", "org/mine"));
            assertThat(server.bodies().getFirst().get("prompt")).hasSize(10).allMatch(id -> id.intValue() < 3);
        }
    }

    @Test
    void aServerThatIsNotThereIsOneSentence() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String server = "http://127.0.0.1:" + port;
        assertThatThrownBy(() -> run(LoadPlans.of(server, Endpoint.CHAT, LoadPlans.WORKLOAD, 1, 1)))
                .isInstanceOf(LoadTestException.class)
                .hasMessage(server + "/v1/models: no answer: the connection was refused");
    }

    @Test
    void aServerThatCannotBeUsedIsOneSentence() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> reply.completion(1, 0, 1))) {
            server.listing(401, "{\"error\":{\"message\":\"no key\"}}");
            assertThatThrownBy(() -> run(plan(server, 1)))
                    .hasMessage(server.uri()
                            + "/v1/models: expected status 200, found 401: no key; give a key with --api-key");
            server.listing(404, "not here");
            assertThatThrownBy(() -> run(plan(server, 1)))
                    .hasMessage(server.uri()
                            + "/v1/models: expected a list of models, found status 404: not here; name the model with"
                            + " --model");
            for (String body : List.of("<html>", "{\"data\":[]}", "[]", "{\"data\":[{\"id\":7}]}")) {
                server.listing(200, body);
                assertThatThrownBy(() -> run(plan(server, 1)))
                        .isInstanceOf(LoadTestException.class)
                        .hasMessageContaining("expected a list of models, found " + body);
            }
            assertThat(server.bodies()).isEmpty();
        }
    }
}
