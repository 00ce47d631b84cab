package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.engine.Activity;
import org.setun.engine.Engine;
import org.setun.engine.EngineActivity;
import org.setun.engine.EngineEvent;
import org.setun.engine.ExpertUsage;
import org.setun.engine.FinishReason;
import org.setun.engine.SiteCounts;
import org.setun.engine.TokenRequest;
import org.setun.generation.GenerationEvent;
import org.setun.generation.Usage;
import org.setun.sampling.SamplingParameters;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the model does is shown as it was counted, and in the answers of those who ask. */
@ApiTest
final class ActivityApiTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String CHAT =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"include_sparsity\":true%s}";

    private final Engine engine;
    private final EngineActivity activity;
    private final ScriptedGenerator generator;
    private final WebTestClient client;
    private final int port;

    ActivityApiTest(
            @Autowired Engine engine,
            @Autowired EngineActivity activity,
            @Autowired ScriptedGenerator generator,
            @LocalServerPort int port) {
        this.engine = engine;
        this.activity = activity;
        this.generator = generator;
        this.port = port;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }

    @Test
    void sparsityIsShownSinceTheStartAndForTheLastRequest() throws Exception {
        run("first");
        run("last");

        JsonNode shown = get("/v1/sparsity");
        assertThat(shown.get("object").stringValue()).isEqualTo("sparsity");
        assertThat(shown.get("model").stringValue()).isEqualTo("lab/tiny");
        assertThat(shown.get("running").isEmpty()).isTrue();
        Activity total = activity.total();
        JsonNode all = shown.get("since_start");
        check(all, total, true);
        assertThat(all.at("/weight_bytes/read").longValue())
                .isPositive()
                .isEqualTo(
                        total.sites().stream().mapToLong(SiteCounts::readBytes).sum());
        JsonNode last = shown.get("last_request");
        assertThat(last.get("id").stringValue()).isEqualTo("last");
        check(last.get("sparsity"), activity.last("").orElseThrow().activity(), false);
    }

    private static void check(JsonNode shown, Activity activity, boolean withBytes) {
        assertThat(shown.get("tokens").longValue()).isPositive().isEqualTo(activity.tokens());
        long elements =
                activity.sites().stream().mapToLong(SiteCounts::elements).sum();
        long zeros = activity.sites().stream().mapToLong(SiteCounts::zeros).sum();
        assertThat(shown.at("/activations/elements").longValue()).isPositive().isEqualTo(elements);
        assertThat(shown.at("/activations/zeros").longValue()).isPositive().isEqualTo(zeros);
        assertThat(shown.at("/activations/zero_fraction").doubleValue()).isEqualTo((double) zeros / elements);
        assertThat(shown.at("/operations/additions").longValue())
                .isPositive()
                .isEqualTo(activity.sites().stream()
                        .mapToLong(SiteCounts::additions)
                        .sum());
        assertThat(shown.has("weight_bytes")).isEqualTo(withBytes);
        assertThat(shown.get("sites").size()).isEqualTo(activity.sites().size());
        for (int i = 0; i < activity.sites().size(); i++) {
            SiteCounts site = activity.sites().get(i);
            JsonNode one = shown.get("sites").get(i);
            assertThat(one.get("layer").isNull()).isEqualTo(site.layer().isEmpty());
            assertThat(one.get("layer").asInt(-1)).isEqualTo(site.layer().orElse(-1));
            assertThat(one.get("site").stringValue()).isEqualTo(site.site());
            assertThat(one.get("component").stringValue()).isEqualTo(site.component());
            assertThat(one.at("/activations/zeros").longValue()).isEqualTo(site.zeros());
            assertThat(one.at("/activations/zero_fraction").isNull()).isEqualTo(site.elements() == 0);
            assertThat(one.at("/operations/multiplications").longValue()).isEqualTo(site.multiplications());
            assertThat(one.at("/weight_bytes/dense").asLong(0)).isEqualTo(withBytes ? site.denseBytes() : 0);
        }
        assertThat(shown.at("/experts/1/layer").intValue()).isEqualTo(2);
        assertThat(shown.at("/experts/1/lookups").longValue())
                .isEqualTo(activity.experts().get(1).lookups());
        assertThat(shown.at("/experts/1/distinct").longValue())
                .isPositive()
                .isEqualTo(activity.experts().get(1).distinct());
    }

    @Test
    void expertsAreShownByLayerTheMostUsedFirst() throws Exception {
        run("any");

        JsonNode all = get("/v1/experts");
        assertThat(all.get("object").stringValue()).isEqualTo("list");
        assertThat(all.get("data").size()).isEqualTo(2);
        assertThat(all.at("/data/0/top").size()).isEqualTo(10);
        JsonNode one = get("/v1/experts?layer=2&top=3").get("data");
        assertThat(one.size()).isOne();
        ExpertUsage usage = activity.experts().get(1);
        JsonNode shown = one.get(0);
        assertThat(shown.get("layer").intValue()).isEqualTo(2);
        assertThat(shown.get("experts").intValue()).isEqualTo(usage.count());
        assertThat(shown.get("top_k").intValue()).isEqualTo(usage.topK());
        assertThat(shown.get("lookups").longValue()).isEqualTo(usage.lookups());
        assertThat(shown.get("activated").longValue()).isEqualTo(usage.activated());
        assertThat(shown.at("/distinct/last_minute").intValue()).isPositive();
        assertThat(shown.get("entropy").doubleValue()).isBetween(0.01, 1.0);
        assertThat(shown.get("gini").doubleValue()).isBetween(0.01, 1.0);
        assertThat(shown.get("top1pct_share").doubleValue()).isBetween(0.001, 1.0);
        assertThat(shown.get("hit_ranks").size()).isEqualTo(usage.topK());
        List<ExpertUsage.Use> top = new ArrayList<>();
        for (JsonNode use : shown.get("top")) {
            top.add(new ExpertUsage.Use(
                    use.get("expert").intValue(), use.get("lookups").longValue()));
            assertThat(use.get("share").doubleValue())
                    .isEqualTo(use.get("lookups").doubleValue() / usage.lookups());
        }
        assertThat(top).hasSize(3).isEqualTo(usage.top(3));
        assertThat(get("/v1/experts?top=0").at("/data/1/top").isEmpty()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "layer=1|layer|layer: expected one of the layers with experts, 0, 2, found 1",
                "layer=-1|layer|layer: expected one integer of 0 or more, found -1",
                "layer=x|layer|layer: expected one integer of 0 or more, found 'x'",
                "layer=0&layer=2|layer|layer: expected one integer of 0 or more, found 2 values",
                "top=1001|top|top: expected one integer from 0 to 1000, found 1001",
                "top=1.5|top|top: expected one integer from 0 to 1000, found '1.5'",
                "top=|top|top: expected one integer from 0 to 1000, found ''"
            })
    void aWrongLayerOrNumberIsRefused(String query, String param, String message) {
        client.get()
                .uri("/v1/experts?" + query)
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.error.message")
                .isEqualTo(message)
                .jsonPath("$.error.param")
                .isEqualTo(param)
                .jsonPath("$.error.type")
                .isEqualTo("invalid_request_error");
    }

    @Test
    void whoAsksFindsTheSparsityInEachChoice() throws Exception {
        script();

        JsonNode chat = JSON.readTree(post("/v1/chat/completions", CHAT.formatted("")));
        check(chat.at("/choices/0/sparsity"), activity.last("").orElseThrow().activity(), false);
        JsonNode completion =
                JSON.readTree(post("/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"include_sparsity\":true}"));
        check(
                completion.at("/choices/1/sparsity"),
                activity.last("").orElseThrow().activity(),
                false);
        assertThat(post("/v1/completions", "{\"prompt\":\"a\"}")).doesNotContain("sparsity");
        assertThat(post("/v1/completions", "{\"prompt\":\"a\",\"include_sparsity\":false}"))
                .doesNotContain("sparsity");
    }

    @Test
    void inAStreamItComesWithTheFinishReason() throws Exception {
        script();

        for (String path : List.of("/v1/chat/completions", "/v1/completions")) {
            String body = path.contains("chat") ? CHAT.formatted("") : "{\"prompt\":\"a\",\"include_sparsity\":true}";
            String streamed = post(path, body.replace("true}", "true,\"stream\":true}"));
            List<JsonNode> with = new ArrayList<>();
            for (String event : streamed.split("\n\n", -1)) {
                if (event.contains("\"sparsity\"")) {
                    with.add(JSON.readTree(event.substring("data: ".length())));
                }
            }
            assertThat(with).singleElement().satisfies(chunk -> {
                assertThat(chunk.at("/choices/0/finish_reason").stringValue()).isEqualTo("stop");
                check(
                        chunk.at("/choices/0/sparsity"),
                        activity.last("").orElseThrow().activity(),
                        false);
            });
        }
    }

    @Test
    void openAisClientReadsSuchAnswers() throws Exception {
        script();
        OpenAIClient openAi = OpenAIOkHttpClient.builder()
                .baseUrl("http://localhost:" + port + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
        ChatCompletionCreateParams params = ChatCompletionCreateParams.builder()
                .model("lab/tiny")
                .addUserMessage("Hi")
                .putAdditionalBodyProperty("include_sparsity", JsonValue.from(true))
                .build();

        ChatCompletion whole = openAi.chat().completions().create(params);
        assertThat(whole.choices().getFirst().message().content()).contains("text");
        assertThat(whole.choices().getFirst().toString()).contains("sparsity", "zero_fraction");
        try (StreamResponse<ChatCompletionChunk> stream =
                openAi.chat().completions().createStreaming(params)) {
            List<ChatCompletionChunk> chunks = stream.stream().toList();
            assertThat(chunks.getLast().choices().getFirst().toString()).contains("sparsity", "zero_fraction");
            assertThat(chunks.getLast().choices().getFirst().finishReason()).isPresent();
        }
    }

    /** Answers with what the engine did last. */
    private void script() throws Exception {
        run("scripted");
        generator.byHand();
        generator.script(running -> {
            running.text("text");
            running.events()
                    .accept(new GenerationEvent.Finished(
                            FinishReason.STOP,
                            new Usage(3, 1),
                            OptionalDouble.empty(),
                            running.request().details().activity()
                                    ? activity.last("").orElseThrow().activity()
                                    : null));
        });
    }

    private void run(String id) throws Exception {
        CompletableFuture<Void> end = new CompletableFuture<>();
        TokenRequest request = new TokenRequest(id, new int[] {5, 6, 7, 8}, 3, SamplingParameters.GREEDY, Set.of());
        engine.submit(request, event -> {
            if (event instanceof EngineEvent.Finished) {
                end.complete(null);
            }
        });
        end.get(20, TimeUnit.SECONDS);
    }

    private JsonNode get(String uri) {
        byte[] body = client.get()
                .uri(uri)
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentType(MediaType.APPLICATION_JSON)
                .expectBody()
                .returnResult()
                .getResponseBodyContent();
        return JSON.readTree(body);
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
