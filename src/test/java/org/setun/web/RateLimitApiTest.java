package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineRejectedException.Reason;
import org.setun.engine.FinishReason;
import org.setun.generation.EmbeddingEvent;
import org.setun.generation.Usage;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.web.reactive.server.EntityExchangeResult;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.json.JsonMapper;

/** What a caller sees of its rates. The time is the test's, so that nothing comes back by itself. */
@ApiTest
@TestPropertySource(properties = {"test.requests=3", "test.tokens=60", "test.keys.alice=a-key", "test.keys.bob=b-key"})
@ExtendWith(NettyLeaks.class)
final class RateLimitApiTest {

    private final ScriptedGenerator generator;
    private final ScriptedEmbedder embedder;
    private final RecordingObserver observer;
    private final ManualTime time;
    private final WebTestClient client;

    RateLimitApiTest(
            @Autowired ScriptedGenerator generator,
            @Autowired ScriptedEmbedder embedder,
            @Autowired RecordingObserver observer,
            @Autowired ManualTime time,
            @LocalServerPort int port) {
        this.generator = generator;
        this.embedder = embedder;
        this.observer = observer;
        this.time = time;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void fillUp() {
        time.advance(Duration.ofHours(1));
        generator.byHand();
        observer.clear();
    }

    @Test
    void answersSayWhatIsLeft() {
        generator.script(running -> {
            running.text("Once");
            running.finish(FinishReason.STOP, 2, 1);
        });

        HttpHeaders headers = post("a-key", "{\"prompt\":\"x\",\"max_tokens\":10}", 200);

        assertThat(rates(headers)).isEqualTo("requests 2/3 in 20s, tokens 57/60 in 3s");
    }

    @Test
    void aStreamSaysWhatIsLeftIfItIsAsLongAsItMayBe() {
        generator.script(running -> running.finish(FinishReason.STOP, 2, 1));

        // By the time of the first byte the answer may have ended.
        HttpHeaders headers = post("a-key", "{\"prompt\":\"x\",\"max_tokens\":10,\"stream\":true}", 200);

        assertThat(headers.getFirst("x-ratelimit-remaining-tokens")).isIn("49", "57");
        assertThat(headers.getFirst("x-ratelimit-remaining-requests")).isEqualTo("2");
    }

    @Test
    void tooManyRequestsAreRefusedUntilTimeHasPassed() {
        generator.script(running -> running.finish(FinishReason.STOP, 1, 0));
        for (int i = 0; i < 3; i++) {
            post("a-key", "{\"prompt\":\"x\",\"max_tokens\":1}", 200);
        }

        HttpHeaders headers = refused(
                "a-key",
                "{\"prompt\":\"x\",\"max_tokens\":1}",
                "requests: expected at most 3 in a" + " minute from the key 'alice', found one more; try again in 20s");

        assertThat(headers.getFirst("Retry-After")).isEqualTo("20");
        assertThat(rates(headers)).startsWith("requests 0/3 in 1m0s");
        assertThat(observer.timesRateLimited()).isEqualTo(1);
        post("b-key", "{\"prompt\":\"x\",\"max_tokens\":1}", 200);
        time.advance(Duration.ofSeconds(20));
        post("a-key", "{\"prompt\":\"x\",\"max_tokens\":1}", 200);
    }

    @Test
    void tooManyTokensAreRefusedBeforeTheyAreMade() {
        HttpHeaders headers = refused(
                "a-key",
                "{\"prompt\":[\"a\",\"b\"],\"max_tokens\":30,\"stream\":true}",
                "tokens: expected at most 60 in a minute from the key 'alice', found about 62 in this request alone;"
                        + " shorten the prompt or lower max_tokens");

        assertThat(headers.getFirst("Retry-After")).isNull();
        assertThat(rates(headers)).isEqualTo("requests 2/3 in 20s, tokens 60/60 in 0s");
        assertThat(observer.timesRateLimited()).isEqualTo(1);
        assertThat(generator.startedNothing()).isTrue();
    }

    @Test
    void whatAnotherAnswerMayStillNeedIsNotGivenTwice() throws Exception {
        Thread first = Thread.ofVirtual().start(() -> post("a-key", "{\"prompt\":\"x\",\"max_tokens\":40}", 200));
        ScriptedGenerator.Running running = generator.next();

        HttpHeaders headers = refused(
                "a-key",
                "{\"prompt\":\"x\"" + ",\"max_tokens\":20}",
                "tokens: expected at most 60 in a minute from the key"
                        + " 'alice', found about 21 in this request while 19 are left; try again in 2s");

        assertThat(headers.getFirst("Retry-After")).isEqualTo("2");
        running.finish(FinishReason.STOP, 1, 2);
        first.join();
        generator.script(next -> next.finish(FinishReason.STOP, 1, 2));
        assertThat(rates(post("a-key", "{\"prompt\":\"x\",\"max_tokens\":20}", 200)))
                .isEqualTo("requests 0/3 in 1m0s, tokens 54/60 in 6s");
    }

    @Test
    void aRequestThatTheEngineRefusesCostsNoTokens() {
        generator.script(running -> {
            throw new EngineRejectedException(Reason.QUEUE_FULL, Duration.ofSeconds(1), "full");
        });

        HttpHeaders headers = post("a-key", "{\"prompt\":[\"a\",\"b\"]}", 429);

        assertThat(rates(headers)).isEqualTo("requests 2/3 in 20s, tokens 60/60 in 0s");
        assertThat(observer.timesRateLimited()).isZero();
    }

    @Test
    void vectorsPayForTheTokensOfTheirTexts() {
        embedder.script(
                running -> running.events().accept(new EmbeddingEvent.Embedded(new float[] {1}, new Usage(7, 0))));

        HttpHeaders headers = exchange("/v1/embeddings", "a-key", "{\"input\":[\"a\",\"b\"]}", 200)
                .getResponseHeaders();

        assertThat(rates(headers)).isEqualTo("requests 2/3 in 20s, tokens 46/60 in 14s");
        exchange("/v1/embeddings", "a-key", "{\"input\":\"" + "x".repeat(244) + "\"}", 429);
    }

    @Test
    void vectorsThatCannotBeMadeCostNothing() {
        embedder.script(running -> {
            if (running.request().id().endsWith("-1")) {
                throw new EngineRejectedException(Reason.QUEUE_FULL, Duration.ofSeconds(1), "full");
            }
            running.events().accept(new EmbeddingEvent.Failed(new IllegalStateException("a fault")));
        });

        HttpHeaders headers = exchange("/v1/embeddings", "a-key", "{\"input\":[\"a\",\"b\"]}", 429)
                .getResponseHeaders();

        assertThat(rates(headers)).isEqualTo("requests 2/3 in 20s, tokens 60/60 in 0s");
    }

    @Test
    void readingModelsCostsNothing() {
        for (int i = 0; i < 5; i++) {
            client.get()
                    .uri("/v1/models")
                    .header("api-key", "a-key")
                    .exchange()
                    .expectStatus()
                    .isOk()
                    .expectHeader()
                    .doesNotExist("x-ratelimit-limit-requests")
                    // Read, or the client leaks it.
                    .expectBody()
                    .returnResult();
        }
    }

    private HttpHeaders refused(String key, String body, String message) {
        EntityExchangeResult<byte[]> result = exchange(key, body, 429);
        assertThat(new JsonMapper().readTree(result.getResponseBodyContent()).get("error"))
                .isEqualTo(new JsonMapper()
                        .createObjectNode()
                        .put("message", message)
                        .put("type", "rate_limit_error")
                        .putNull("param")
                        .put("code", "rate_limit_exceeded"));
        return result.getResponseHeaders();
    }

    private HttpHeaders post(String key, String body, int status) {
        return exchange(key, body, status).getResponseHeaders();
    }

    private EntityExchangeResult<byte[]> exchange(String key, String body, int status) {
        return exchange("/v1/completions", key, body, status);
    }

    private EntityExchangeResult<byte[]> exchange(String uri, String key, String body, int status) {
        return client.post()
                .uri(uri)
                .contentType(MediaType.APPLICATION_JSON)
                .header("Authorization", "Bearer " + key)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isEqualTo(status)
                .expectBody()
                .returnResult();
    }

    private static String rates(HttpHeaders headers) {
        return rate(headers, "requests") + ", " + rate(headers, "tokens");
    }

    private static String rate(HttpHeaders headers, String kind) {
        return kind + " " + headers.getFirst("x-ratelimit-remaining-" + kind) + "/"
                + headers.getFirst("x-ratelimit-limit-" + kind) + " in "
                + headers.getFirst("x-ratelimit-reset-" + kind);
    }
}
