package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Usage;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** What the log says of requests, and what it never says. */
@ApiTest
@TestPropertySource(properties = {"test.access-log=true", "test.keys.alice=a-key"})
final class AccessLogApiTest {

    private static final String SECRET = "the-marker-7391";

    private final ScriptedGenerator generator;
    private final WebTestClient client;
    private final String requestId = UUID.randomUUID().toString();
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    private final Logger ours = (Logger) LoggerFactory.getLogger("org.setun");

    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            events.add(event);
        }
    };

    AccessLogApiTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.client = WebTestClient.bindToServer()
                .baseUrl("http://localhost:" + port)
                .responseTimeout(Duration.ofSeconds(20))
                .build();
    }

    @BeforeEach
    void listen() {
        appender.start();
        ours.addAppender(appender);
        ours.setLevel(Level.DEBUG);
    }

    @AfterEach
    void listenNoMore() {
        ours.detachAppender(appender);
        ours.setLevel(null);
    }

    @Test
    void anAnswerIsALineWithItsNumbers() {
        generator.script(running -> {
            running.text("Hi");
            running.events().accept(new GenerationEvent.Finished(FinishReason.STOP, new Usage(9, 4, 2)));
        });
        post("/v1/completions", "{\"prompt\":\"" + SECRET + "\",\"n\":2}", "a-key");

        ILoggingEvent line = line();
        assertThat(line.getLevel()).isEqualTo(Level.INFO);
        assertThat(line.getFormattedMessage())
                .matches("POST /v1/completions 200 in \\d+ ms: 9 \\+ 4 tokens, stop \\[" + requestId + "]");
        assertThat(fields(line))
                .containsEntry("request_id", requestId)
                .containsEntry("method", "POST")
                .containsEntry("endpoint", "/v1/completions")
                .containsEntry("status", 200)
                .containsEntry("outcome", "success")
                .containsEntry("stream", false)
                .containsEntry("key", "alice")
                .containsEntry("prompt_tokens", 9)
                .containsEntry("cached_tokens", 4)
                .containsEntry("completion_tokens", 4)
                .containsEntry("finish_reason", "stop")
                .containsKeys("duration_ms", "time_to_first_token_ms");
        assertThat(String.valueOf(fields(line).get("answer_id"))).startsWith("cmpl-");
    }

    @Test
    void aStreamIsALineWhenItHasEnded() {
        generator.answer("a", "b");
        post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"%s"}],"stream":true}""".formatted(SECRET), "a-key");

        assertThat(fields(line()))
                .containsEntry("endpoint", "/v1/chat/completions")
                .containsEntry("stream", true)
                .containsEntry("status", 200)
                .containsEntry("completion_tokens", 2);
    }

    @Test
    void whoHasNoKeyIsLoggedToo() {
        post("/v1/completions", "{\"prompt\":\"" + SECRET + "\"}", "another-key");

        ILoggingEvent line = line();
        assertThat(line.getFormattedMessage()).startsWith("POST unknown 401 in");
        assertThat(fields(line)).containsEntry("status", 401).doesNotContainKeys("key", "prompt_tokens");
        assertThat(text()).doesNotContain("another-key");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"prompt\":\"MARKER",
                "{\"prompt\":\"MARKER\",\"temperature\":\"MARKER\"}",
                "{\"prompt\":\"MARKER\",\"stop\":[\"MARKER\",\"\"]}",
                "{\"MARKER\":1,\"prompt\":{\"MARKER\":\"MARKER\"}}",
                "MARKER"
            })
    void aBodyThatIsWrongIsLoggedWithoutItsText(String body) {
        generator.answer("a");
        post("/v1/completions", body.replace("MARKER", SECRET), "a-key");

        assertThat(fields(line())).containsEntry("status", 400).containsEntry("outcome", "client_error");
        assertThat(text()).doesNotContain(SECRET);
    }

    @Test
    void failuresAreLoggedWithoutTheText() {
        for (boolean stream : new boolean[] {false, true}) {
            generator.script(running -> {
                running.text(SECRET);
                running.fail(new IllegalStateException("a step failed"));
            });
            post("/v1/completions", "{\"prompt\":\"%s\",\"stream\":%s}".formatted(SECRET, stream), "a-key");
            assertThat(fields(line())).containsEntry("outcome", "server_error");
            assertThat(text()).contains("a step failed").doesNotContain(SECRET);
            events.clear();
        }
        generator.script(running -> {
            throw new InvalidPromptException("context_length_exceeded", "too long, by " + SECRET.length());
        });
        post("/v1/completions", "{\"prompt\":\"" + SECRET.repeat(50) + "\"}", "a-key");
        assertThat(fields(line())).containsEntry("status", 400);
        assertThat(text()).doesNotContain(SECRET);
    }

    @Test
    void otherEndpointsSayNoMore() {
        post("/tokenize", "{\"prompt\":\"" + SECRET + "\"}", "a-key");

        assertThat(fields(line())).containsEntry("endpoint", "/tokenize").containsEntry("status", 200);
        assertThat(text()).doesNotContain(SECRET);
    }

    private void post(String path, String body, String key) {
        client.post()
                .uri(path)
                .header("x-request-id", requestId)
                .header("Authorization", "Bearer " + key)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectBody()
                .returnResult();
    }

    /** Waits for the request's line, which may come after the client has read the answer. */
    private ILoggingEvent line() {
        String logger = AccessLog.class.getName();
        await().atMost(Duration.ofSeconds(10))
                .until(() ->
                        events.stream().anyMatch(event -> event.getLoggerName().equals(logger)));
        List<ILoggingEvent> lines = events.stream()
                .filter(event -> event.getLoggerName().equals(logger))
                .toList();
        assertThat(lines).hasSize(1);
        return lines.getFirst();
    }

    private static Map<String, Object> fields(ILoggingEvent event) {
        return event.getKeyValuePairs().stream().collect(Collectors.toMap(pair -> pair.key, pair -> pair.value));
    }

    /** Returns all that was logged, stack traces and fields included. */
    private String text() {
        return events.stream()
                .map(event -> event.getFormattedMessage() + " " + event.getKeyValuePairs() + " "
                        + (event.getThrowableProxy() == null
                                ? ""
                                : ThrowableProxyUtil.asString(event.getThrowableProxy())))
                .collect(Collectors.joining("\n"));
    }
}
