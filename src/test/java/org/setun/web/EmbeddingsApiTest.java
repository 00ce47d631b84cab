package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.Urgency;
import org.setun.generation.EmbeddingEvent;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Prompt;
import org.setun.generation.Usage;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.Disposable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@ApiTest
final class EmbeddingsApiTest {

    private final ScriptedEmbedder embedder;
    private final WebTestClient client;
    private final int port;

    EmbeddingsApiTest(@Autowired ScriptedEmbedder embedder, @LocalServerPort int port) {
        this.embedder = embedder;
        this.port = port;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void embed() {
        embedder.script(running -> running.events()
                .accept(new EmbeddingEvent.Embedded(
                        new float[] {running.request().id().endsWith("-0") ? 0.5f : -1, 0.25f}, new Usage(3, 0))));
    }

    @Test
    void vectorsComeInTheOrderOfTheirTexts() throws Exception {
        assertThat(post("{\"model\":\"lab/tiny\",\"input\":[\"a\",\"b\"]}", 200))
                .isEqualTo("""
                {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]},\
                {"object":"embedding","index":1,"embedding":[-1.0,0.25]}],"model":"lab/tiny",\
                "usage":{"prompt_tokens":6,"total_tokens":6}}""");
        assertThat(embedder.next().request().input()).isEqualTo(new Prompt.Text("a"));
    }

    @Test
    void vectorsCanBeHadAsBytes() {
        JsonNode answer = read(post("{\"input\":[1,2],\"encoding_format\":\"base64\"}", 200));

        byte[] bytes = Base64.getDecoder().decode(answer.at("/data/0/embedding").stringValue());
        ByteBuffer numbers = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(List.of(numbers.getFloat(), numbers.getFloat())).containsExactly(0.5f, 0.25f);
    }

    @Test
    void tokensAreTakenAsTheyAreAndUrgencyIsPassedOn() throws Exception {
        post(
                "{\"input\":[[1,2],[3]],\"encoding_format\":\"float\",\"user\":\"me\",\"priority\":-2,\"timeout\":1.5}",
                200);

        assertThat(embedder.next().request().input()).isEqualTo(new Prompt.Tokens(List.of(1, 2)));
        assertThat(embedder.next().request().urgency())
                .isEqualTo(new Urgency(-2, Optional.of(Duration.ofMillis(1500))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                                     | input           | missing_required_parameter
            {"input":[]}                           | input           | invalid_value
            {"input":[1,-1]}                       | input[1]        | invalid_value
            {"input":"a","encoding_format":"int8"} | encoding_format | invalid_value
            {"input":"a","dimensions":256}         | dimensions      | unsupported_parameter
            {"input":"a","priority":1.5}           | priority        | invalid_type
            {"input":"a","timeout":0}              | timeout         | invalid_value
            """)
    void whatCannotBeDoneIsRefusedByItsField(String body, String param, String code) {
        JsonNode error = read(post(body, 400)).get("error");

        assertThat(error.get("param").stringValue()).isEqualTo(param);
        assertThat(error.get("code").stringValue()).isEqualTo(code);
    }

    @Test
    void aRequestHasALimitedNumberOfTexts() {
        String texts = "\"a\",".repeat(PromptField.MAX_PROMPTS) + "\"a\"";

        assertThat(read(post("{\"input\":[" + texts + "]}", 400))
                        .at("/error/message")
                        .stringValue())
                .isEqualTo("input: expected at most 128, found 129");
    }

    @Test
    void aTextThatIsTooLongIsTheClientsFaultAndEndsTheOthers() throws Exception {
        embedder.script(running -> {
            if (running.request().id().endsWith("-1")) {
                throw new InvalidPromptException("context_length_exceeded", "too long");
            }
        });

        assertThat(read(post("{\"input\":[\"a\",\"b\"]}", 400))
                        .at("/error/param")
                        .stringValue())
                .isEqualTo("input");
        embedder.next().awaitCancelled();
    }

    @Test
    void aFaultEndsTheOthersAndShowsNothingOfTheInside() throws Exception {
        embedder.script(running -> {
            if (running.request().id().endsWith("-1")) {
                running.events().accept(new EmbeddingEvent.Failed(new IllegalStateException("secret detail")));
            }
        });

        assertThat(post("{\"input\":[\"a\",\"b\"]}", 500))
                .contains("internal_error")
                .doesNotContain("secret");
        embedder.next().awaitCancelled();
    }

    @Test
    void aRequestWhoseTimeIsOverSaysSo() {
        embedder.script(running -> running.events()
                .accept(new EmbeddingEvent.Failed(new TimeoutException("the request's time was over"))));

        assertThat(read(post("{\"input\":\"a\",\"timeout\":1}", 408))
                        .at("/error/code")
                        .stringValue())
                .isEqualTo("timeout");
    }

    @Test
    void aFullQueueAsksToComeAgain() {
        embedder.script(running -> {
            throw new EngineRejectedException(
                    EngineRejectedException.Reason.QUEUE_FULL, Duration.ofSeconds(2), "many requests wait already");
        });

        assertThat(read(post("{\"input\":\"a\"}", 429)).at("/error/code").stringValue())
                .isEqualTo("queue_full");
    }

    @Test
    void aClientThatLeavesCancelsItsEmbeddings() throws Exception {
        embedder.script(null);
        Disposable request = WebClient.create("http://localhost:" + port)
                .post()
                .uri("/v1/embeddings")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"input\":\"a\"}")
                .retrieve()
                .toBodilessEntity()
                .subscribe();
        ScriptedEmbedder.Running running = embedder.next();

        request.dispose();

        running.awaitCancelled();
    }

    private String post(String body, int status) {
        byte[] answer = client.post()
                .uri("/v1/embeddings")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isEqualTo(status)
                .expectBody()
                .returnResult()
                .getResponseBodyContent();
        return new String(answer, StandardCharsets.UTF_8);
    }

    private static JsonNode read(String json) {
        return new JsonMapper().readTree(json);
    }
}
