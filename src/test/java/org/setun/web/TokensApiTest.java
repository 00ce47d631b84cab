package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.tokenizer.ChatMessage;
import org.setun.tokenizer.Tokenizer;
import org.setun.web.RequestObserver.Outcome;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.EntityExchangeResult;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Texts to tokens and back over HTTP, with a real tokenizer. */
@ApiTest
final class TokensApiTest {

    private static final String TEXT = "Жар-птица costs 5 €, \uD834\uDD1E";
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    private final Tokenizer tokenizer;
    private final RecordingObserver observer;
    private final WebTestClient client;

    TokensApiTest(@Autowired Tokenizer tokenizer, @Autowired RecordingObserver observer, @LocalServerPort int port) {
        this.tokenizer = tokenizer;
        this.observer = observer;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void forgetEarlierRequests() {
        observer.clear();
    }

    @Test
    void contentIsTokenisedAsLlamaServerDoes() {
        assertThat(post("/tokenize", "{\"content\":\"" + TEXT + "\"}"))
                .isEqualTo("{\"tokens\":" + json(tokenizer.encode(TEXT, false)) + "}");
        assertThat(post("/tokenize", "{\"content\":\"" + TEXT + "\",\"add_special\":true,\"parse_special\":true}"))
                .isEqualTo("{\"tokens\":" + json(tokenizer.encode(TEXT, true)) + "}");
        assertThat(post("/tokenize", "{\"content\":\"\"}")).isEqualTo("{\"tokens\":[]}");
    }

    @Test
    void aPieceIsTextOrBytes() {
        int[] ids = tokenizer.encode("a𝄞", false);

        JsonNode tokens = read(post("/tokenize", "{\"content\":\"a𝄞\",\"with_pieces\":true}"))
                .get("tokens");

        assertThat(tokens).hasSize(ids.length);
        assertThat(tokens.get(0).toString()).isEqualTo("{\"id\":" + ids[0] + ",\"piece\":\" a\"}");
        assertThat(tokens.get(ids.length - 1).toString())
                .isEqualTo("{\"id\":" + ids[ids.length - 1] + ",\"piece\":[158]}");
    }

    @Test
    void aPromptIsTokenisedAsInVllm() {
        int[] ids = tokenizer.encode("Hi", true);

        assertThat(post("/tokenize", "{\"model\":\"lab/tiny\",\"prompt\":\"Hi\"}"))
                .isEqualTo("{\"count\":%d,\"max_model_len\":100,\"tokens\":%s,\"token_strs\":null}"
                        .formatted(ids.length, json(ids)));
        assertThat(read(post("/tokenize", "{\"prompt\":\"Hi\",\"add_special_tokens\":false}"))
                        .get("count")
                        .intValue())
                .isEqualTo(ids.length - 1);
        assertThat(read(post("/tokenize", "{\"prompt\":\"Hi\",\"return_token_strs\":true}"))
                        .get("token_strs")
                        .get(0)
                        .stringValue())
                .isEqualTo("<s>");
    }

    @Test
    void aConversationIsRenderedAndTokenised() throws Exception {
        String rendered = tokenizer.renderChat(List.of(new ChatMessage("user", "Hi")));

        assertThat(read(post("/apply-template", "{" + MESSAGES + "}"))
                        .get("prompt")
                        .stringValue())
                .isEqualTo(rendered);
        assertThat(read(post("/tokenize", "{" + MESSAGES + "}")).get("tokens").toString())
                .isEqualTo(json(tokenizer.encode(rendered, false)));
    }

    @Test
    void theCueForTheAnswerCanBeLeftOut() throws Exception {
        try (Tokenizer llama3 = Tokenizer.load(Path.of("src/test/resources/golden/tokenizer/byte-level-llama3"))) {
            TokenCalls calls = new TokenCalls(
                    llama3,
                    new ServedModel("m", Instant.EPOCH, ServedModel.SamplingDefaults.NEUTRAL, 0, Map.of()),
                    100);
            String with = rendered(calls, "{" + MESSAGES + "}");
            String without = rendered(calls, "{" + MESSAGES + ",\"add_generation_prompt\":false}");
            assertThat(with).startsWith(without).hasSizeGreaterThan(without.length());
        }
    }

    private static String rendered(TokenCalls calls, String body) {
        JsonFields fields = WireJson.readObject(body.getBytes(StandardCharsets.UTF_8));
        byte[] answer = WireJson.write(calls.applyTemplate(fields));
        return read(new String(answer, StandardCharsets.UTF_8)).get("prompt").stringValue();
    }

    @Test
    void tokensBecomeTheTextAgainUnderBothNames() {
        int[] ids = tokenizer.encode("Hi €", false);

        assertThat(post("/detokenize", "{\"tokens\":" + json(ids) + "}"))
                .isEqualTo("{\"content\":\"Hi €\",\"prompt\":\"Hi €\"}");
        assertThat(post("/detokenize", "{\"tokens\":[]}")).isEqualTo("{\"content\":\"\",\"prompt\":\"\"}");
    }

    @Test
    void requestsAreSeenAndUnknownFieldsNamed() throws Exception {
        EntityExchangeResult<byte[]> result = client.post()
                .uri("/tokenize")
                .header("x-request-id", "tokens-1")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"content\":\"x\",\"add_special_tokens\":true}")
                .exchange()
                .expectBody()
                .returnResult();

        assertThat(result.getResponseHeaders().get("x-setun-warning"))
                .containsExactly("unknown field 'add_special_tokens'");
        assertThat(observer.endOf("tokens-1")).isEqualTo(new RecordingObserver.End("tokenize", false, Outcome.SUCCESS));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            /tokenize       | {}                                         | content                | missing_required_parameter
            /tokenize       | {"content":"a","prompt":"b"}               | content                | invalid_value
            /tokenize       | {"content":3}                              | content                | invalid_type
            /tokenize       | {"content":"a","parse_special":false}      | parse_special          | unsupported_parameter
            /tokenize       | {"prompt":"a","model":"gpt-4"}             | model                  | model_not_found
            /tokenize       | {"messages":[]}                            | messages               | invalid_value
            /detokenize     | {}                                         | tokens                 | missing_required_parameter
            /detokenize     | {"tokens":"1"}                             | tokens                 | invalid_type
            /detokenize     | {"tokens":[1,99999999]}                    | tokens[1]              | invalid_value
            /apply-template | {"messages":[{"role":"user"}]}             | messages[0].content    | missing_required_parameter
            /apply-template | {"messages":[{"role":"user","content":"x"}],"chat_template":"x"} | chat_template | unsupported_parameter
            /apply-template | {"messages":[{"role":"user","content":"x"}],"tools":[{}]}        | tools         | unsupported_parameter
            """)
    void whatCannotBeDoneIsRefusedByItsField(String uri, String body, String param, String code) {
        byte[] answer = client.post()
                .uri(uri)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .is4xxClientError()
                .expectBody()
                .returnResult()
                .getResponseBodyContent();

        JsonNode error = read(new String(answer, StandardCharsets.UTF_8)).get("error");
        assertThat(error.get("param").stringValue()).isEqualTo(param);
        assertThat(error.get("code").stringValue()).isEqualTo(code);
    }

    private String post(String uri, String body) {
        byte[] answer = client.post()
                .uri(uri)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentType(MediaType.APPLICATION_JSON)
                .expectBody()
                .returnResult()
                .getResponseBodyContent();
        return new String(answer, StandardCharsets.UTF_8);
    }

    private static JsonNode read(String json) {
        return new JsonMapper().readTree(json);
    }

    private static String json(int[] ids) {
        return Arrays.toString(ids).replace(" ", "");
    }
}
