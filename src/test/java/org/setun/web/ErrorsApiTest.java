package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineRejectedException.Reason;
import org.setun.engine.FinishReason;
import org.setun.generation.InvalidPromptException;
import org.setun.web.RequestObserver.Outcome;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every error has OpenAI's form, and tells the client what to do and nothing of the inside. */
@ApiTest
@ExtendWith(OutputCaptureExtension.class)
final class ErrorsApiTest {

    private static final String COMPLETION = "{\"prompt\":\"x\"}";
    private static final String STREAM = "{\"prompt\":\"x\",\"stream\":true}";

    private final ScriptedGenerator generator;
    private final RecordingObserver observer;
    private final String requestId = "test-" + UUID.randomUUID();
    private final WebTestClient client;

    ErrorsApiTest(
            @Autowired ScriptedGenerator generator, @Autowired RecordingObserver observer, @LocalServerPort int port) {
        this.generator = generator;
        this.observer = observer;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void forgetEarlierRequests() {
        generator.byHand();
        observer.clear();
    }

    @Test
    void anErrorHasFourFieldsAndNothingElse() throws Exception {
        String body = post("{\"prompt\":\"x\",\"max_tokens\":-1}")
                .expectStatus()
                .isBadRequest()
                .expectHeader()
                .contentType(MediaType.APPLICATION_JSON)
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(body)
                .isEqualTo("{\"error\":{\"message\":\"max_tokens: expected an integer of 0 or more, found -1\","
                        + "\"type\":\"invalid_request_error\",\"param\":\"max_tokens\",\"code\":\"invalid_value\"}}");
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.CLIENT_ERROR);
    }

    @Test
    void malformedJsonIsTheClientsFault() {
        String message =
                assertError(post("{\"prompt\": \"x\",\n oops}"), 400, "invalid_request_error", null, "invalid_json");

        assertThat(message).contains("line 2, column 2");
        assertError(post(""), 400, "invalid_request_error", null, "invalid_json");
    }

    @Test
    void anErrorBeforeTheFirstByteIsNoStream() {
        assertError(
                post("{\"prompt\":\"x\",\"stream\":true,\"temperature\":9}"),
                400,
                "invalid_request_error",
                "temperature",
                "invalid_value");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/completions", "/v1/chat/completions"})
    void moreActivationSparsityThanTheOperatorAllowsIsTheClientsFault(String uri) {
        String prompt =
                uri.contains("chat") ? "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]" : "\"prompt\":\"x\"";

        assertThat(assertError(
                        post(uri, "{" + prompt + ",\"activation_sparsity\":0.6}"),
                        400,
                        "invalid_request_error",
                        "activation_sparsity",
                        "invalid_value"))
                .isEqualTo("activation_sparsity: expected a number from 0 to 0.5, the server's"
                        + " setun.engine.max-activation-sparsity, found 0.6");
    }

    @Test
    void anUnknownModelIsNotFound() {
        assertError(
                post("{\"prompt\":\"x\",\"model\":\"gpt-4\"}"),
                404,
                "invalid_request_error",
                "model",
                "model_not_found");
        assertError(
                client.get().uri("/v1/models/gpt-4").exchange(),
                404,
                "invalid_request_error",
                "model",
                "model_not_found");
    }

    @ParameterizedTest
    @CsvSource({"/v1/completions, prompt", "/v1/chat/completions, messages"})
    void aPromptThatIsTooLongIsTheClientsFault(String uri, String param) {
        generator.script(running -> {
            throw new InvalidPromptException("context_length_exceeded", "the prompt has 9 tokens, 8 are allowed");
        });
        String body = uri.contains("chat") ? "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}" : COMPLETION;

        assertThat(assertError(post(uri, body), 400, "invalid_request_error", param, "context_length_exceeded"))
                .isEqualTo("the prompt has 9 tokens, 8 are allowed");
    }

    @Test
    void aFullQueueAsksToComeAgain() throws Exception {
        generator.script(running -> {
            throw new EngineRejectedException(Reason.QUEUE_FULL, Duration.ofMillis(2500), "256 requests wait already");
        });

        WebTestClient.ResponseSpec response = post(STREAM);

        response.expectHeader().valueEquals("Retry-After", "3");
        assertError(response, 429, "rate_limit_error", null, "queue_full");
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.REJECTED);
    }

    @Test
    void aDrainingServerAsksToComeAgain() {
        generator.script(running -> {
            throw new EngineRejectedException(Reason.DRAINING, Duration.ZERO, "the server is shutting down");
        });

        WebTestClient.ResponseSpec response = post(COMPLETION);

        response.expectHeader().valueEquals("Retry-After", "1");
        assertError(response, 503, "server_error", null, "draining");
    }

    @Test
    void ifOnePromptIsRefusedTheOthersAreCancelled() throws Exception {
        generator.script(running -> {
            if (running.request().id().endsWith("-2")) {
                throw new EngineRejectedException(Reason.QUEUE_FULL, Duration.ofSeconds(1), "full");
            }
        });

        assertError(post("{\"prompt\":[\"a\",\"b\",\"c\"]}"), 429, "rate_limit_error", null, "queue_full");

        generator.next().awaitCancelled();
        generator.next().awaitCancelled();
    }

    @Test
    void aFaultOfTheServerShowsNothingOfTheInside(CapturedOutput output) throws Exception {
        generator.script(running -> running.fail(new IllegalStateException("secret detail")));

        assertThat(assertError(post(COMPLETION), 500, "server_error", null, "internal_error"))
                .startsWith("the server failed to answer this request")
                .doesNotContain("secret", "Exception");
        assertThat(output).contains("secret detail");
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.SERVER_ERROR);
    }

    @Test
    void aFaultWhileStartingShowsNothingOfTheInside(CapturedOutput output) {
        generator.script(running -> {
            throw new IllegalStateException("secret detail");
        });

        assertError(post(COMPLETION), 500, "server_error", null, "internal_error");
        assertThat(output).contains("secret detail");
    }

    @Test
    void aFaultAfterTheFirstByteEndsTheStream() throws Exception {
        generator.script(running -> {
            running.text("Once");
            running.fail(new IllegalStateException("secret detail"));
        });

        String body = post(STREAM)
                .expectStatus()
                .isOk()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(body)
                .contains("\"text\":\"Once\"")
                .containsPattern("data: \\{\"error\":\\{\"message\":\"the server failed[^}]*\"type\":\"server_error\","
                        + "\"param\":null,\"code\":\"internal_error\"}}\n\ndata: \\[DONE]\n\n$")
                .doesNotContain("secret");
        assertThat(observer.endOf(requestId))
                .isEqualTo(new RecordingObserver.End("completions", true, Outcome.SERVER_ERROR));
    }

    @Test
    void aStreamThatShutdownEndsSaysSo() {
        generator.script(running -> {
            running.text("Once");
            running.fail(new EngineRejectedException(Reason.DRAINING, Duration.ofSeconds(1), "the server shut down"));
        });

        String body = post(STREAM).expectBody(String.class).returnResult().getResponseBody();

        assertThat(body).contains("\"code\":\"draining\"").endsWith("data: [DONE]\n\n");
    }

    @Test
    void aFailedChoiceCancelsTheOthersOfItsRequest() throws Exception {
        generator.script(running -> {
            if (running.request().id().endsWith("-1")) {
                running.fail(new IllegalStateException("a fault"));
            }
        });

        String body = post("{\"prompt\":[\"a\",\"b\"],\"stream\":true}")
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(body).contains("internal_error").endsWith("data: [DONE]\n\n");
        generator.next().awaitCancelled();
    }

    @Test
    void anAnswerThatTheEngineCancelsIsAFault() {
        generator.script(running -> running.finish(FinishReason.CANCELLED, 1, 0));

        assertError(post(COMPLETION), 500, "server_error", null, "internal_error");
    }

    @Test
    void aBodyThatIsTooLargeIsRefused() {
        String body = "{\"prompt\":\"" + "x".repeat(ApiTest.Application.MAX_BODY_SIZE) + "\"}";

        assertError(post(body), 413, "invalid_request_error", null, "request_too_large");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "application/json;charset=utf-16"})
    void anotherContentTypeIsRefused(String contentType) {
        assertError(
                client.method(HttpMethod.POST)
                        .uri("/v1/completions")
                        .headers(headers -> headers.set("Content-Type", contentType))
                        .bodyValue(COMPLETION.getBytes(StandardCharsets.UTF_8))
                        .exchange(),
                415,
                "invalid_request_error",
                null,
                "unsupported_media_type");
    }

    @Test
    void anotherMethodIsRefused() {
        WebTestClient.ResponseSpec response =
                client.get().uri("/v1/completions").exchange();

        response.expectHeader().valueEquals("Allow", "POST");
        assertError(response, 405, "invalid_request_error", null, "method_not_allowed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/v1", "/v1/nothing", "/favicon.ico", "/v1/completions/1"})
    void anUnknownPathIsNotFound(String uri) {
        assertError(client.get().uri(uri).exchange(), 404, "invalid_request_error", null, "unknown_url");
    }

    @Test
    void pagesOfOtherOriginsAreNotLetInUnlessSettingsNameThem() {
        client.options()
                .uri("/v1/completions")
                .header("Origin", "https://chat.example.org")
                .header("Access-Control-Request-Method", "POST")
                .exchange()
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Origin");
        client.get()
                .uri("/v1/models")
                .header("Origin", "https://chat.example.org")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Origin");
    }

    private WebTestClient.ResponseSpec post(String body) {
        return post("/v1/completions", body);
    }

    private WebTestClient.ResponseSpec post(String uri, String body) {
        return client.post()
                .uri(uri)
                .contentType(MediaType.APPLICATION_JSON)
                .header("x-request-id", requestId)
                .bodyValue(body)
                .exchange();
    }

    /** Returns the error's message. */
    private static String assertError(
            WebTestClient.ResponseSpec response, int status, String type, @Nullable String param, String code) {
        byte[] body = response.expectStatus()
                .isEqualTo(status)
                .expectHeader()
                .contentType(MediaType.APPLICATION_JSON)
                .expectHeader()
                .exists("x-request-id")
                .expectBody()
                .returnResult()
                .getResponseBodyContent();
        JsonNode error = new JsonMapper().readTree(body).required("error");
        assertThat(error.get("type").stringValue()).isEqualTo(type);
        assertThat(error.get("code").stringValue()).isEqualTo(code);
        assertThat(error.get("param").stringValue(null)).isEqualTo(param);
        return error.get("message").stringValue();
    }
}
