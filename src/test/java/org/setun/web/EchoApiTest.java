package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.setun.engine.FinishReason;
import org.setun.generation.AnswerDetails;
import org.setun.generation.GenerationEvent;
import org.setun.generation.TextToken;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

/** Completions that show their prompt, or its scores. */
@ApiTest
final class EchoApiTest {

    private final ScriptedGenerator generator;
    private final WebTestClient client;

    EchoApiTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void answer() {
        generator.byHand();
        generator.script(running -> {
            AnswerDetails details = running.request().details();
            boolean scored = details.promptScores().isPresent();
            List<TextToken> prompt =
                    List.of(token('a', 0, null), token('b', 1, score(-0.5f, 'x')), token('c', 2, score(-2, 'c')));
            running.events().accept(new GenerationEvent.Prompt("abc", scored ? prompt : List.of()));
            if (running.request().maxTokens().orElse(1) > 0) {
                running.text("d", token('d', 3, score(-1, 'd')));
            }
            running.finish(FinishReason.LENGTH, 3, 1);
        });
    }

    @Test
    void anEchoedPromptIsTheBeginningOfTheText() throws Exception {
        assertThat(post("{\"prompt\":\"abc\",\"echo\":true}"))
                .contains("{\"index\":0,\"text\":\"abcd\",\"logprobs\":null,\"finish_reason\":\"length\"}");
        assertThat(generator.next().request().details())
                .isEqualTo(new AnswerDetails(OptionalInt.empty(), OptionalInt.empty(), true));
    }

    @Test
    void aTextCanBeScored() throws Exception {
        assertThat(post("{\"prompt\":\"abc\",\"echo\":true,\"max_tokens\":0,\"logprobs\":1}"))
                .contains("""
                "choices":[{"index":0,"text":"abc","logprobs":{"tokens":["a","b","c"],"token_logprobs":[null,-0.5,-2.0],\
                "top_logprobs":[null,{"x":-0.25,"b":-0.5},{"c":-0.25}],"text_offset":[0,1,2]},"finish_reason":"length"}]""");
        assertThat(generator.next().request().details())
                .isEqualTo(new AnswerDetails(OptionalInt.of(1), OptionalInt.of(1), true));
    }

    @Test
    void everyPromptIsScored() {
        assertThat(post("{\"prompt\":[[1,2],[3]],\"echo\":true,\"max_tokens\":0,\"logprobs\":0}"))
                .contains("{\"index\":0,\"text\":\"abc\"", "{\"index\":1,\"text\":\"abc\"");
    }

    @Test
    void aStreamBeginsWithTheEchoedPrompt() {
        assertThat(post("{\"prompt\":\"abc\",\"echo\":true,\"logprobs\":0,\"stream\":true}"))
                .containsSubsequence(
                        "\"text\":\"abc\",\"logprobs\":{\"tokens\":[\"a\",\"b\",\"c\"],\"token_logprobs\":[null,-0.5,-2.0]",
                        "\"text\":\"d\",\"logprobs\":{\"tokens\":[\"d\"],\"token_logprobs\":[-1.0]",
                        "\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"length\"");
    }

    @Test
    void theScoresOfAPromptCanBeHadAloneInTheirOwnField() throws Exception {
        assertThat(post("{\"prompt\":\"abc\",\"prompt_logprobs\":1}")).contains("""
                {"index":0,"text":"d","logprobs":null,"finish_reason":"length","prompt_logprobs":[null,\
                {"98":{"logprob":-0.5,"rank":3,"decoded_token":"b"},"120":{"logprob":-0.25,"rank":1,"decoded_token":"x"}},\
                {"99":{"logprob":-2.0,"rank":3,"decoded_token":"c"}}]}""");
        assertThat(generator.next().request().details())
                .isEqualTo(new AnswerDetails(OptionalInt.empty(), OptionalInt.of(1), false));
    }

    @Test
    void bothWishesForAPromptsScoresAreMetAtOnce() throws Exception {
        assertThat(post("{\"prompt\":\"abc\",\"echo\":true,\"logprobs\":0,\"prompt_logprobs\":4}"))
                .contains("\"top_logprobs\":[null,{\"b\":-0.5},{\"c\":-2.0},{\"d\":-1.0}]", "\"120\":{");
        assertThat(generator.next().request().details())
                .isEqualTo(new AnswerDetails(OptionalInt.of(0), OptionalInt.of(4), true));
    }

    private String post(String body) {
        byte[] answer = client.post()
                .uri("/v1/completions")
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

    private static TextToken token(int id, int offset, TextToken.@Nullable Score score) {
        return new TextToken(id, List.of(id), offset, score);
    }

    private static TextToken.Score score(float logProbability, int best) {
        return new TextToken.Score(logProbability, 3, List.of(new TextToken.Candidate(best, List.of(best), -0.25f)));
    }
}
