package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.FinishReason;
import org.setun.generation.TextToken;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Log probabilities as they stand in answers, whole and streamed. */
@ApiTest
final class LogprobsApiTest {

    private static final JsonMapper JSON = new JsonMapper();

    private static final TextToken HI = token(
            0,
            -0.25f,
            List.of(72, 105),
            candidate(-0.25f, 'H', 'i'),
            candidate(-1.5f, 0xe2),
            candidate(Float.NEGATIVE_INFINITY, 'x'));
    private static final TextToken EURO_BEGIN = token(2, -3.5f, List.of(0xe2, 0x82), candidate(-0.5f, ' '));
    private static final TextToken EURO_END = token(2, -0.125f, List.of(0xac));

    private final ScriptedGenerator generator;
    private final WebTestClient client;

    LogprobsApiTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void answer() {
        generator.byHand();
        generator.script(running -> {
            running.text("Hi", HI);
            running.text("€", EURO_BEGIN, EURO_END);
            running.finish(FinishReason.LENGTH, 2, 3);
        });
    }

    @Test
    void aCompletionListsThemInTheOlderForm() throws Exception {
        JsonNode choice = JSON.readTree(post("/v1/completions", "{\"prompt\":\"x\",\"logprobs\":3}"))
                .at("/choices/0");

        assertThat(choice.get("logprobs").toString()).isEqualTo("""
                {"tokens":["Hi","bytes:\\\\xe2\\\\x82","bytes:\\\\xac"],"token_logprobs":[-0.25,-3.5,-0.125],\
                "top_logprobs":[{"Hi":-0.25,"bytes:\\\\xe2":-1.5,"x":-9999.0},\
                {" ":-0.5,"bytes:\\\\xe2\\\\x82":-3.5},{"bytes:\\\\xac":-0.125}],\
                "text_offset":[0,2,2]}""");
        assertThat(generator.next().request().details().scores()).isEqualTo(OptionalInt.of(3));
    }

    @Test
    void aChatAnswerListsThemTokenByToken() {
        JsonNode choice = JSON.readTree(post("/v1/chat/completions", """
                        {"messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":2}""")).at("/choices/0");

        assertThat(choice.get("logprobs").toString()).isEqualTo("""
                {"content":[{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[\
                {"token":"Hi","logprob":-0.25,"bytes":[72,105]},{"token":"\\\\xe2","logprob":-1.5,"bytes":[226]},\
                {"token":"x","logprob":-9999.0,"bytes":[120]}]},\
                {"token":"\\\\xe2\\\\x82","logprob":-3.5,"bytes":[226,130],"top_logprobs":[\
                {"token":" ","logprob":-0.5,"bytes":[32]}]},\
                {"token":"\\\\xac","logprob":-0.125,"bytes":[172],"top_logprobs":[]}],"refusal":null}""");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokens", "token_logprobs", "top_logprobs", "text_offset"})
    void aStreamedCompletionHasThoseOfAWholeOne(String list) {
        String body = "{\"prompt\":\"x\",\"logprobs\":3%s}";

        List<JsonNode> streamed = new ArrayList<>();
        for (JsonNode choice : chunks(post("/v1/completions", body.formatted(",\"stream\":true")))) {
            choice.path("logprobs").path(list).forEach(streamed::add);
        }

        List<JsonNode> whole = new ArrayList<>();
        JSON.readTree(post("/v1/completions", body.formatted("")))
                .at("/choices/0/logprobs/" + list)
                .forEach(whole::add);
        assertThat(streamed).isEqualTo(whole).hasSize(3);
    }

    @Test
    void aStreamedChatHasThoseOfAWholeOne() {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"logprobs\":true%s}";

        List<JsonNode> streamed = new ArrayList<>();
        List<JsonNode> choices = chunks(post("/v1/chat/completions", body.formatted(",\"stream\":true")));
        for (JsonNode choice : choices) {
            choice.path("logprobs").path("content").forEach(streamed::add);
        }

        List<JsonNode> whole = new ArrayList<>();
        JSON.readTree(post("/v1/chat/completions", body.formatted("")))
                .at("/choices/0/logprobs/content")
                .forEach(whole::add);
        assertThat(streamed).isEqualTo(whole).hasSize(3);
        assertThat(choices.getFirst().get("logprobs").isNull()).isTrue();
        assertThat(choices.getLast().get("logprobs").isNull()).isTrue();
    }

    @Test
    void nobodyGetsThemUnasked() throws Exception {
        assertThat(JSON.readTree(post("/v1/completions", "{\"prompt\":\"x\"}"))
                        .at("/choices/0/logprobs")
                        .isNull())
                .isTrue();
        assertThat(generator.next().request().details().scores()).isEmpty();
    }

    private String post(String uri, String body) {
        byte[] answer = client.post()
                .uri(uri)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .returnResult()
                .getResponseBodyContent();
        return new String(answer, StandardCharsets.UTF_8);
    }

    /** Returns the choices of all chunks, in order. */
    private static List<JsonNode> chunks(String stream) {
        List<JsonNode> choices = new ArrayList<>();
        stream.lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JSON.readTree(line.substring("data: ".length())).at("/choices/0"))
                .forEach(choices::add);
        return choices;
    }

    private static TextToken token(
            int offset, float logProbability, List<Integer> bytes, TextToken.Candidate... candidates) {
        return new TextToken(7, bytes, offset, new TextToken.Score(logProbability, 1, List.of(candidates)));
    }

    private static TextToken.Candidate candidate(float logProbability, int... bytes) {
        return new TextToken.Candidate(8, Arrays.stream(bytes).boxed().toList(), logProbability);
    }
}
