package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.setun.engine.FinishReason;
import org.setun.engine.RequestReport;
import org.setun.engine.TokenCounts;
import org.setun.generation.GenerationEvent;
import org.setun.generation.Usage;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The field {@code include_timings}. */
@ApiTest
final class TimingsApiTest {

    private static final String TIMINGS = """
            "timings":{"cache_n":4,"prompt_n":5,"prompt_ms":20.0,"prompt_per_token_ms":4.0,"prompt_per_second":250.0,\
            "predicted_n":3,"predicted_ms":10.5,"predicted_per_token_ms":5.25,"predicted_per_second":190.476,\
            "queue_ms":7.0,"time_to_first_token_ms":77.0}""";

    private final ScriptedGenerator generator;
    private final WebTestClient client;

    TimingsApiTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void answerInTime() {
        generator.script(running -> {
            running.text("Hi");
            boolean asked = running.request().details().timings();
            RequestReport report = new RequestReport(
                    running.request().id(),
                    new TokenCounts(9, 4, 3),
                    Duration.ofMillis(7),
                    Duration.ofMillis(20),
                    Duration.ofNanos(10_500_000));
            running.events()
                    .accept(new GenerationEvent.Finished(
                            FinishReason.STOP,
                            new Usage(9, 4, 3),
                            OptionalDouble.empty(),
                            null,
                            asked ? report : null));
        });
    }

    @Test
    void aWholeAnswerHasTheTimesOfItsParts() {
        assertThat(post("/v1/completions", "{\"prompt\":\"x\",\"include_timings\":true}"))
                .contains("\"prompt_tokens_details\":{\"cached_tokens\":4}}," + TIMINGS + "}");
        assertThat(post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"x"}],"include_timings":true}""")).contains(TIMINGS);
    }

    @Test
    void aStreamHasThemInItsLastChunk() {
        assertThat(chunks("{\"prompt\":\"x\",\"stream\":true,\"include_timings\":true}"))
                .satisfies(chunks -> {
                    assertThat(chunks.getLast()).contains("\"finish_reason\":\"stop\"", TIMINGS);
                    assertThat(chunks.subList(0, chunks.size() - 1)).noneMatch(chunk -> chunk.contains("timings"));
                });
        assertThat(chunks("""
                {"prompt":"x","stream":true,"stream_options":{"include_usage":true},"include_timings":true}""")).satisfies(chunks -> {
            assertThat(chunks.getLast()).contains("\"choices\":[],\"usage\":{", TIMINGS);
            assertThat(chunks.subList(0, chunks.size() - 1)).noneMatch(chunk -> chunk.contains("timings"));
        });
    }

    @Test
    void nobodyGetsThemWhoDoesNotAsk() {
        assertThat(post("/v1/completions", "{\"prompt\":\"x\"}")).doesNotContain("timings");
        assertThat(post("/v1/completions", "{\"prompt\":\"x\",\"stream\":true}"))
                .doesNotContain("timings");
    }

    @Test
    void theTimesOfSeveralAnswersAddUp() {
        JsonNode timings = JsonMapper.shared()
                .readTree(post("/v1/completions", "{\"prompt\":\"x\",\"n\":2,\"include_timings\":true}"))
                .required("timings");

        assertThat(timings.required("prompt_n").intValue()).isEqualTo(10);
        assertThat(timings.required("prompt_ms").doubleValue()).isEqualTo(40);
        assertThat(timings.required("predicted_n").intValue()).isEqualTo(6);
        assertThat(timings.required("predicted_per_token_ms").doubleValue()).isEqualTo(5.25);
    }

    @Test
    void whatIsANumberPerNothingIsNull() {
        generator.script(running -> running.events()
                .accept(new GenerationEvent.Finished(
                        FinishReason.LENGTH,
                        new Usage(9, 9, 0),
                        OptionalDouble.empty(),
                        null,
                        new RequestReport(
                                "r", new TokenCounts(9, 9, 0), Duration.ZERO, Duration.ZERO, Duration.ZERO))));

        assertThat(post("/v1/completions", "{\"prompt\":\"x\",\"include_timings\":true}"))
                .contains("""
                "prompt_n":0,"prompt_ms":0.0,"prompt_per_token_ms":null,"prompt_per_second":null,\
                "predicted_n":0,"predicted_ms":0.0,"predicted_per_token_ms":null,"predicted_per_second":null,\
                "queue_ms":0.0,"time_to_first_token_ms":null}""");
    }

    private List<String> chunks(String body) {
        return post("/v1/completions", body)
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .toList();
    }

    private String post(String path, String body) {
        byte[] answer = client.post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .returnResult()
                .getResponseBody();
        assertThat(answer).isNotNull();
        return new String(answer, StandardCharsets.UTF_8)
                .replaceAll("\"time_to_first_token_ms\":[0-9.]+", "\"time_to_first_token_ms\":77.0");
    }
}
