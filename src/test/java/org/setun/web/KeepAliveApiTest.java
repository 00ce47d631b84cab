package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import java.io.IOException;
import java.util.Iterator;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.setun.engine.FinishReason;
import org.setun.web.RequestObserver.Outcome;
import org.setun.web.ScriptedGenerator.Running;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.TestPropertySource;

/** Streams that are silent for longer than proxies and clients like. */
@ApiTest
@TestPropertySource(properties = "test.keep-alive=10ms")
@ExtendWith(NettyLeaks.class)
final class KeepAliveApiTest {

    private static final String STREAM = "{\"prompt\":\"x\",\"stream\":true}";
    private static final String PING = ": ping\n\n";

    private final ScriptedGenerator generator;
    private final RecordingObserver observer;
    private final String requestId = "test-" + UUID.randomUUID();
    private final int port;

    KeepAliveApiTest(
            @Autowired ScriptedGenerator generator, @Autowired RecordingObserver observer, @LocalServerPort int port) {
        this.generator = generator;
        this.observer = observer;
        this.port = port;
    }

    @BeforeEach
    void answerByHand() {
        generator.byHand();
        observer.clear();
    }

    @Test
    void commentsComeBeforeTheFirstTokenAndBetweenEventsAndNotAfterTheEnd() throws Exception {
        try (RawRequest client = post(STREAM)) {
            Running running = generator.next();
            String queued = client.readUntil(PING) + client.readUntil(PING);
            running.text("Once");
            String first = client.readUntil("\"Once\"") + client.readUntil(PING);
            running.text(" upon");
            running.finish(FinishReason.STOP, 1, 2);
            String rest = client.readUntil("\r\n0\r\n\r\n");

            assertThat(queued).contains("text/event-stream").doesNotContain("data:");
            assertThat(rest).doesNotContain("\"Once\"");
            // No comment stands inside an event.
            assertThat(body(queued + first + rest).lines())
                    .allMatch(line -> line.isEmpty()
                            || line.equals(": ping")
                            || line.equals("data: [DONE]")
                            || (line.startsWith("data: {") && line.endsWith("}")));
            assertThat(rest.substring(rest.indexOf("[DONE]"))).doesNotContain("ping");
            assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.SUCCESS);
        }
    }

    @Test
    void aWholeAnswerIsNotTouched() throws Exception {
        try (RawRequest whole = post("{\"prompt\":\"x\"}")) {
            Running waiting = generator.next();
            // Another stream shows that intervals have passed.
            try (RawRequest stream = post(STREAM)) {
                Running running = generator.next();
                for (int i = 0; i < 3; i++) {
                    stream.readUntil(PING);
                }
                running.finish(FinishReason.STOP, 1, 0);
                stream.readUntil("[DONE]");
            }
            assertThat(whole.unread()).isZero();

            waiting.text("Once");
            waiting.finish(FinishReason.STOP, 1, 1);

            assertThat(whole.readUntil("\"cached_tokens\":0}}}")).doesNotContain("ping");
        }
    }

    @Test
    void aClientThatLeavesASilentStreamCancelsIt() throws Exception {
        Running running;
        try (RawRequest client = post(STREAM)) {
            running = generator.next();
            client.readUntil(PING);
        }

        running.awaitCancelled();
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void aReaderThatIsLateFindsItsTextWhole() throws Exception {
        try (RawRequest late = post(STREAM)) {
            Running running = generator.next();
            for (int i = 0; i < 20_000; i++) {
                running.text(i + " ");
            }
            try (RawRequest other = post(STREAM)) {
                Running second = generator.next();
                for (int i = 0; i < 3; i++) {
                    other.readUntil(PING);
                }
                second.finish(FinishReason.STOP, 1, 0);
                other.readUntil("[DONE]");
            }
            running.finish(FinishReason.STOP, 1, 20_000);

            String stream = late.readUntil("[DONE]");

            assertThat(stream.split("\"finish_reason\":null", -1)).hasSize(20_001);
            assertThat(stream.indexOf("\"text\":\"9999 \"")).isLessThan(stream.indexOf("\"text\":\"10000 \""));
        }
    }

    @Test
    void openAisClientPassesOverComments() throws Exception {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl("http://localhost:" + port + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model("lab/tiny")
                .prompt("Tell")
                .build();
        try (StreamResponse<Completion> stream = client.completions().createStreaming(params);
                RawRequest clock = post(STREAM)) {
            Running first = generator.next();
            Running second = generator.next();
            for (int i = 0; i < 3; i++) {
                clock.readUntil(PING);
            }
            for (Running running : new Running[] {first, second}) {
                running.text("Once");
                running.finish(FinishReason.STOP, 1, 1);
            }

            Iterator<Completion> chunks = stream.stream().iterator();

            assertThat(chunks.next().choices().getFirst().text()).isEqualTo("Once");
            assertThat(chunks.next().choices().getFirst().text()).isEmpty();
            assertThat(chunks.hasNext()).isFalse();
        }
    }

    /** Returns what follows the headers, without the sizes of its chunks. */
    private static String body(String response) {
        return response.split("\r\n\r\n", 2)[1].replaceAll("(^|\r\n)[0-9a-f]+\r\n", "");
    }

    private RawRequest post(String body) throws IOException {
        return new RawRequest(port, requestId, body);
    }
}
