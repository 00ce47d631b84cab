package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

/** Several answers to a prompt. */
@ApiTest
final class ChoicesApiTest {

    private final ScriptedGenerator generator;
    private final WebTestClient client;

    ChoicesApiTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @BeforeEach
    void answer() {
        generator.byHand();
        generator.script(running -> {
            GenerationRequest request = running.request();
            running.text(text(request) + request.id().replaceAll(".*-", ""));
            running.finish(FinishReason.STOP, 10, 3);
        });
    }

    @Test
    void theChoicesOfAPromptFollowOneAnother() {
        assertThat(post("/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"n\":2}"))
                .contains("""
                "choices":[{"index":0,"text":"a0","logprobs":null,"finish_reason":"stop"},\
                {"index":1,"text":"a1","logprobs":null,"finish_reason":"stop"},\
                {"index":2,"text":"b2","logprobs":null,"finish_reason":"stop"},\
                {"index":3,"text":"b3","logprobs":null,"finish_reason":"stop"}],\
                "usage":{"prompt_tokens":20,"completion_tokens":12,"total_tokens":32""");
    }

    @Test
    void aStreamOfSeveralChatAnswersOpensEachAndCountsThePromptOnce() {
        String body = post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"x"}],"n":2,"stream":true,\
                "stream_options":{"include_usage":true}}""");

        assertThat(body)
                .contains(
                        "{\"index\":0,\"delta\":{\"role\":\"assistant\"",
                        "{\"index\":1,\"delta\":{\"role\":\"assistant\"",
                        "{\"index\":1,\"delta\":{\"content\":\"x1\"}",
                        "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":6,\"total_tokens\":16");
    }

    @Test
    void theFirstChoiceHasTheRequestsSeedAndTheOthersHaveTheirOwn() throws Exception {
        post("/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"n\":3,\"seed\":5}");
        List<OptionalLong> seeds = seeds(6);
        post("/v1/completions", "{\"prompt\":\"a\",\"n\":3,\"seed\":5}");

        assertThat(seeds.subList(0, 3)).doesNotHaveDuplicates().startsWith(OptionalLong.of(5));
        assertThat(seeds.subList(3, 6)).isEqualTo(seeds.subList(0, 3));
        assertThat(seeds(3)).isEqualTo(seeds.subList(0, 3));
        post("/v1/completions", "{\"prompt\":\"a\",\"n\":2}");
        assertThat(seeds(2)).containsOnly(OptionalLong.empty());
    }

    @Test
    void theBestAnswersAreShownAndAllAreCounted() throws Exception {
        generator.script(running -> {
            int index = Integer.parseInt(running.request().id().replaceAll(".*-", ""));
            running.text("answer " + index);
            running.finish(10, 4, List.of(-2.0, -0.5, -1.0, -0.5).get(index));
        });

        String body = post("/v1/completions", "{\"prompt\":\"a\",\"n\":3,\"best_of\":4}");

        assertThat(body).contains("""
                "choices":[{"index":0,"text":"answer 1","logprobs":null,"finish_reason":"stop"},\
                {"index":1,"text":"answer 3","logprobs":null,"finish_reason":"stop"},\
                {"index":2,"text":"answer 2","logprobs":null,"finish_reason":"stop"}],\
                "usage":{"prompt_tokens":10,"completion_tokens":16,"total_tokens":26""");
        assertThat(generator.next().request().details().scores()).isEqualTo(OptionalInt.of(0));
    }

    private List<OptionalLong> seeds(int requests) throws InterruptedException {
        List<OptionalLong> seeds = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            seeds.add(generator.next().request().sampling().seed());
        }
        return seeds;
    }

    private static String text(GenerationRequest request) {
        return switch (request.prompt()) {
            case Prompt.Text text -> text.text();
            case Prompt.Tokens tokens -> tokens.ids().toString();
            case Prompt.Chat chat -> chat.messages().getLast().content();
        };
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
}
