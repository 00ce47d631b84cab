package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.FinishReason;
import org.setun.engine.Urgency;
import org.setun.generation.AnswerDetails;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.setun.generation.TokenRules;
import org.setun.generation.Usage;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatMessage;
import org.setun.web.RequestObserver.Outcome;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.EntityExchangeResult;
import org.springframework.test.web.reactive.server.WebTestClient;
import reactor.core.publisher.Mono;

/** What comes back, byte by byte. Ids and times vary and are replaced by ID and 0 before comparing. */
@ApiTest
final class GenerationApiTest {

    private static final Pattern VARYING = Pattern.compile("(cmpl-)[0-9a-f]{32}(.*?\"created\":)\\d+");

    private final ScriptedGenerator generator;
    private final RecordingObserver observer;
    private final String requestId = "test-" + UUID.randomUUID();
    private final WebTestClient client;

    GenerationApiTest(
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
    void aCompletionComesInOnePiece() throws Exception {
        generator.answer("Once", " upon");

        EntityExchangeResult<byte[]> result = post("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":5}");

        assertThat(result.getResponseHeaders().getContentType()).isEqualTo(MediaType.APPLICATION_JSON);
        assertThat(body(result)).isEqualTo("""
                {"id":"cmpl-ID","object":"text_completion","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"text":"Once upon","logprobs":null,"finish_reason":"stop"}],\
                "usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0}}}""");
        assertThat(observer.endOf(requestId))
                .isEqualTo(new RecordingObserver.End("completions", false, Outcome.SUCCESS));
        assertThat(observer.firstTexts()).isEqualTo(1);
    }

    @Test
    void anAnswerWhoseTimeIsOverIsWhatThereIsOfIt() {
        generator.script(running -> {
            running.text("Once");
            running.finish(FinishReason.TIMEOUT, 9, 1);
        });

        assertThat(body(post("/v1/completions", "{\"prompt\":\"x\",\"timeout\":1}")))
                .contains("\"text\":\"Once\"", "\"finish_reason\":\"length\"");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noAnswerWhoseTimeIsOverIsAnError(boolean stream) {
        generator.script(running -> running.finish(FinishReason.TIMEOUT, 9, 0));

        EntityExchangeResult<byte[]> result = client.post()
                .uri("/v1/completions")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"prompt\":\"x\",\"timeout\":1,\"stream\":" + stream + "}")
                .exchange()
                .expectBody()
                .returnResult();

        assertThat(result.getStatus().value()).isEqualTo(stream ? 200 : 408);
        assertThat(body(result))
                .contains("the request's time was over before its first token was there", "\"code\":\"timeout\"");
        assertThat(body(result).endsWith("data: [DONE]\n\n")).isEqualTo(stream);
    }

    @Test
    void aChatAnswerComesInOnePiece() {
        generator.script(running -> {
            running.text("Hi");
            running.finish(FinishReason.LENGTH, 4, 1);
        });

        EntityExchangeResult<byte[]> result =
                post("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");

        assertThat(body(result)).isEqualTo("""
                {"id":"chatcmpl-ID","object":"chat.completion","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,\
                "finish_reason":"length"}],\
                "usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0}}}""");
    }

    @Test
    void aCompletionIsStreamed() throws Exception {
        generator.answer("Once", " upon");

        EntityExchangeResult<byte[]> result = post("/v1/completions", "{\"prompt\":\"x\",\"stream\":true}");

        assertThat(result.getResponseHeaders().getFirst("Content-Type")).isEqualTo("text/event-stream;charset=utf-8");
        assertThat(result.getResponseHeaders().getFirst("Cache-Control")).isEqualTo("no-cache");
        assertThat(result.getResponseHeaders().getFirst("X-Accel-Buffering")).isEqualTo("no");
        assertThat(body(result)).isEqualTo("""
                data: {"id":"cmpl-ID","object":"text_completion","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"text":"Once","logprobs":null,"finish_reason":null}]}

                data: {"id":"cmpl-ID","object":"text_completion","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"text":" upon","logprobs":null,"finish_reason":null}]}

                data: {"id":"cmpl-ID","object":"text_completion","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]}

                data: [DONE]

                """);
        assertThat(observer.endOf(requestId))
                .isEqualTo(new RecordingObserver.End("completions", true, Outcome.SUCCESS));
    }

    @Test
    void aChatAnswerIsStreamedWithUsageWhenAsked() {
        generator.answer("Hi");

        EntityExchangeResult<byte[]> result = post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true}}""");

        assertThat(body(result)).isEqualTo("""
                data: {"id":"chatcmpl-ID","object":"chat.completion.chunk","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],\
                "usage":null}

                data: {"id":"chatcmpl-ID","object":"chat.completion.chunk","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null}

                data: {"id":"chatcmpl-ID","object":"chat.completion.chunk","created":0,"model":"lab/tiny",\
                "choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}

                data: {"id":"chatcmpl-ID","object":"chat.completion.chunk","created":0,"model":"lab/tiny",\
                "choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0}}}

                data: [DONE]

                """);
    }

    @Test
    void aChatAnswerIsStreamedWithoutUsageOtherwise() {
        generator.answer("Hi");

        EntityExchangeResult<byte[]> result =
                post("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true}");

        assertThat(body(result)).doesNotContain("usage").endsWith("data: [DONE]\n\n");
    }

    @Test
    void anAnswerKeepsWhatIsBeyondAscii() {
        generator.answer("Жар-птица", " 🐦", "\n\"quoted\"");

        EntityExchangeResult<byte[]> whole = post("/v1/completions", "{\"prompt\":\"x\"}");
        EntityExchangeResult<byte[]> streamed = post("/v1/completions", "{\"prompt\":\"x\",\"stream\":true}");

        assertThat(body(whole)).contains("\"text\":\"Жар-птица 🐦\\n\\\"quoted\\\"\"");
        assertThat(body(streamed)).contains("\"text\":\" 🐦\"", "\"text\":\"\\n\\\"quoted\\\"\"");
    }

    @Test
    void theUsageTellsHowMuchOfThePromptsWasKnown() {
        generator.script(running ->
                running.events().accept(new GenerationEvent.Finished(FinishReason.STOP, new Usage(9, 4, 2))));

        assertThat(body(post("/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"n\":2}")))
                .contains("""
                "usage":{"prompt_tokens":18,"completion_tokens":8,"total_tokens":26,\
                "prompt_tokens_details":{"cached_tokens":8}}""");
    }

    @Test
    void eachPromptGivesAChoiceInItsPlace() throws Exception {
        EntityExchangeResult<byte[]> result;
        generator.script(running -> {
            String prompt = ((Prompt.Text) running.request().prompt()).text();
            running.text(prompt + "!");
            running.finish(FinishReason.STOP, 2, 3);
        });

        result = post("/v1/completions", "{\"prompt\":[\"a\",\"b\",\"c\"]}");

        assertThat(body(result)).contains("""
                "choices":[{"index":0,"text":"a!","logprobs":null,"finish_reason":"stop"},\
                {"index":1,"text":"b!","logprobs":null,"finish_reason":"stop"},\
                {"index":2,"text":"c!","logprobs":null,"finish_reason":"stop"}],\
                "usage":{"prompt_tokens":6,"completion_tokens":9,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":0}}""");
        assertThat(generator.next().request().id()).startsWith("cmpl-").endsWith("-0");
        assertThat(generator.next().request().id()).endsWith("-1");
    }

    @Test
    void severalPromptsShareAStream() {
        generator.script(running -> {
            running.text("t");
            running.finish(FinishReason.STOP, 1, 1);
        });

        String body = body(post("/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"stream\":true}"));

        assertThat(body)
                .contains(
                        "{\"index\":0,\"text\":\"t\"",
                        "{\"index\":1,\"text\":\"t\"",
                        "{\"index\":1,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"stop\"}");
        assertThat(body.split("\\[DONE]", -1)).hasSize(2);
    }

    @Test
    void theGeneratorGetsWhatTheClientAskedFor() throws Exception {
        generator.answer("x");

        post("/v1/chat/completions", """
                {"model":"lab/tiny","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":3,
                 "temperature":0,"top_k":4,"top_p":0.5,"seed":6,"stop":".","priority":3,"timeout":60,
                 "activation_sparsity":0.25}""");

        GenerationRequest request = generator.next().request();
        assertThat(request)
                .isEqualTo(new GenerationRequest(
                        request.id(),
                        new Prompt.Chat(List.of(new ChatMessage("user", "Hi"))),
                        OptionalInt.of(3),
                        new SamplingParameters(0, 4, 0.5, OptionalLong.of(6)),
                        List.of("."),
                        0.25,
                        TokenRules.NONE,
                        AnswerDetails.NONE,
                        new Urgency(3, Optional.of(Duration.ofSeconds(60)))));
    }

    @Test
    void requestsAreStartedOutsideOfTheEventLoops() throws Exception {
        generator.answer("x");

        post("/v1/completions", "{\"prompt\":\"x\"}");

        assertThat(generator.next().startedOn().getName()).startsWith("request-");
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "true"})
    void unknownFieldsAreNamedInAHeader(String stream) {
        generator.answer("x");

        EntityExchangeResult<byte[]> result =
                post("/v1/completions", "{\"prompt\":\"x\",\"foo\":1,\"b\\r\\nд\":2,\"stream\":" + stream + "}");

        assertThat(result.getResponseHeaders().get("x-setun-warning"))
                .containsExactly("unknown field 'foo'", "unknown field 'b???'");
    }

    @Test
    void aRequestIdIsEchoedOrMade() {
        generator.answer("x");

        EntityExchangeResult<byte[]> named = client.post()
                .uri("/v1/completions")
                .header("x-request-id", "trace-7")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"prompt\":\"x\"}")
                .exchange()
                .expectBody()
                .returnResult();
        EntityExchangeResult<byte[]> forged = client.get()
                .uri("/v1/models")
                .header("x-request-id", "a b<script>")
                .exchange()
                .expectBody()
                .returnResult();

        assertThat(named.getResponseHeaders().get("x-request-id")).containsExactly("trace-7");
        assertThat(named.getResponseHeaders().getFirst("openai-processing-ms")).matches("\\d+");
        assertThat(forged.getResponseHeaders().getFirst("x-request-id")).matches("req_[0-9a-f]{32}");
    }

    @Test
    void aBodyWithoutAContentTypeIsTakenForJson() {
        generator.answer("x");

        client.post()
                .uri("/v1/completions")
                .body((request, context) -> request.writeWith(
                        Mono.just(request.bufferFactory().wrap("{\"prompt\":\"x\"}".getBytes(StandardCharsets.UTF_8)))))
                .exchange()
                .expectStatus()
                .isOk();
    }

    @Test
    void theModelsAreListed() {
        client.get()
                .uri("/v1/models")
                .exchange()
                .expectHeader()
                .contentType(MediaType.APPLICATION_JSON)
                .expectBody(String.class)
                .isEqualTo("{\"object\":\"list\",\"data\":[{\"id\":\"lab/tiny\",\"object\":\"model\","
                        + "\"created\":1700000000,\"owned_by\":\"setun\",\"architecture\":\"mmfree\"}]}");
    }

    @Test
    void aModelIsShownByItsName() {
        client.get()
                .uri("/v1/models/lab/tiny")
                .exchange()
                .expectBody(String.class)
                .isEqualTo("{\"id\":\"lab/tiny\",\"object\":\"model\",\"created\":1700000000,"
                        + "\"owned_by\":\"setun\",\"architecture\":\"mmfree\"}");
    }

    private EntityExchangeResult<byte[]> post(String uri, String body) {
        return client.post()
                .uri(uri)
                .contentType(MediaType.APPLICATION_JSON)
                .header("x-request-id", requestId)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .returnResult();
    }

    private static String body(EntityExchangeResult<byte[]> result) {
        String text = new String(result.getResponseBodyContent(), StandardCharsets.UTF_8);
        return VARYING.matcher(text).replaceAll("$1ID$20");
    }
}
