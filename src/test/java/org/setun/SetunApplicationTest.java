package org.setun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.setun.engine.Engine;
import org.setun.generation.GenerationSettings;
import org.setun.metrics.SetunMeter;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The whole server with the model that ships, from a socket to its weights and back. */
final class SetunApplicationTest {

    private static final Path DENSE_MODEL = Path.of("src/test/resources/golden/bitnet-tiny-packed/model-tq2_0.gguf");

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static final ConfigurableApplicationContext server = start();

    @BeforeAll
    static void isReady() throws Exception {
        HttpResponse<String> response = get("/actuator/health/readiness");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("\"UP\"");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void theShippedModelIsListed() throws Exception {
        assertThat(get("/v1/models").body())
                .contains(
                        "\"id\":\"setun-fairy\"",
                        "\"parameters\":",
                        "\"max_model_len\":4096",
                        "\"max_activation_sparsity\":0.9");
    }

    @Test
    void aStreamSaysWhatAWholeAnswerSays() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl("http://localhost:" + port(server) + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model("setun-fairy")
                .prompt("Once upon a time")
                .maxTokens(12)
                .seed(7)
                .build();

        Completion whole = client.completions().create(params);
        String streamed;
        try (StreamResponse<Completion> stream = client.completions().createStreaming(params)) {
            streamed = stream.stream()
                    .map(chunk -> chunk.choices().getFirst().text())
                    .collect(Collectors.joining());
        }

        assertThat(whole.choices().getFirst().text()).isNotBlank().isEqualTo(streamed);
        assertThat(whole.usage().orElseThrow().completionTokens()).isEqualTo(12);
    }

    @Test
    void theShippedModelTakesMoreActivationSparsityThanItsOwn() throws Exception {
        String body = "{\"prompt\":\"Once upon a time\",\"max_tokens\":8,\"seed\":7,\"activation_sparsity\":0.8}";
        String sparse = post(server, "/v1/completions", body).body();
        String plain =
                post(server, "/v1/completions", body.replace("0.8}", "0}")).body();

        assertThat(sparse).contains("\"completion_tokens\":8");
        assertThat(text(sparse)).isNotEqualTo(text(plain));
    }

    @Test
    void aDenseModelTakesNoActivationSparsityUnlessTheOperatorAllowsIt() throws Exception {
        String dense = "--setun.model.path=" + DENSE_MODEL;
        String body = "{\"prompt\":\"Hi\",\"max_tokens\":8,\"seed\":7,\"activation_sparsity\":0.8}";
        try (ConfigurableApplicationContext other = start(dense)) {
            HttpResponse<String> refused = post(other, "/v1/completions", body);

            assertThat(refused.statusCode()).isEqualTo(400);
            assertThat(refused.body())
                    .contains("\"param\":\"activation_sparsity\"", "setun.engine.max-activation-sparsity");
        }
        try (ConfigurableApplicationContext other = start(dense, "--setun.engine.max-activation-sparsity=0.8")) {
            String sparse = post(other, "/v1/completions", body).body();
            String plain =
                    post(other, "/v1/completions", body.replace("0.8}", "0}")).body();

            assertThat(sparse).contains("\"completion_tokens\":8");
            assertThat(text(sparse)).isNotEqualTo(text(plain));
        }
    }

    private static String text(String completion) {
        return JsonMapper.shared()
                .readTree(completion)
                .required("choices")
                .get(0)
                .required("text")
                .stringValue();
    }

    @Test
    void aPromptBeyondTheContextIsRefused() throws Exception {
        HttpResponse<String> response =
                post(server, "/v1/completions", "{\"prompt\":\"" + "and then ".repeat(5000) + "\"}");

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("\"param\":\"prompt\"", "\"code\":\"context_length_exceeded\"");
    }

    @Test
    void prometheusFindsTheMetrics() throws Exception {
        post(server, "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":1}");

        assertThat(get("/actuator/prometheus").body())
                .contains(
                        "setun_tokens_generated_total{model=\"setun-fairy\"}",
                        "setun_request_duration_seconds_count{endpoint=\"completions\",model=\"setun-fairy\"",
                        "setun_time_to_first_token_seconds_bucket{model=\"setun-fairy\"",
                        "setun_requests_running{model=\"setun-fairy\"}",
                        "setun_state_slots_free{model=\"setun-fairy\"}",
                        "setun_model_info{arch=\"ternary\",experts=\"4096\",model=\"setun-fairy\",parameters=\"10747264\",quantization=\"packed_trits\"");
    }

    @Test
    void whatTheModelDoesIsShown() throws Exception {
        String asked = "{\"prompt\":\"Once upon\",\"max_tokens\":2,\"include_sparsity\":true}";
        JsonNode own = new JsonMapper()
                .readTree(post(server, "/v1/completions", asked).body())
                .at("/choices/0/sparsity");
        assertThat(own.at("/tokens").intValue()).isPositive();
        // Its layers keep 0.6 of their activations.
        assertThat(own.at("/activations/zero_fraction").doubleValue()).isBetween(0.3, 0.6);
        assertThat(own.at("/experts/0/distinct").intValue()).isPositive();

        JsonNode all = new JsonMapper().readTree(get("/v1/sparsity").body());
        assertThat(all.at("/since_start/weight_bytes/read_fraction").doubleValue())
                .isBetween(0.01, 1.0);
        assertThat(new JsonMapper()
                        .readTree(get("/v1/experts").body())
                        .at("/data/0/entropy")
                        .doubleValue())
                .isBetween(0.01, 1.0);
        assertThat(get("/actuator/prometheus").body())
                .contains(
                        "setun_activation_zeros_total{layer=\"0\",model=\"setun-fairy\",site=\"mixer_in\"}",
                        "setun_weights{layer=\"0\",matrix=\"mixer.i_proj\",model=\"setun-fairy\",value=\"neg\"}",
                        "setun_weights_bytes{format=\"ternary_",
                        "setun_memory_bandwidth_bytes_per_second{kind=\"measured\"",
                        "setun_energy_joules_total{model=\"setun-fairy\",source=\"");
    }

    @Test
    void everyMetricIsDocumentedAndEveryDocumentedOneIsThere() throws Exception {
        post(server, "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":1}");
        Set<String> exposed = server.getBean(MeterRegistry.class).getMeters().stream()
                .map(meter -> meter.getId().getName())
                .filter(name -> name.startsWith("setun."))
                .collect(Collectors.toSet());
        Set<String> documented =
                Stream.of(SetunMeter.values()).map(SetunMeter::meterName).collect(Collectors.toSet());

        assertThat(documented).containsAll(exposed);
        documented.removeAll(exposed);
        assertThat(documented)
                .as("what only a server with Redis has")
                .containsExactlyInAnyOrder(
                        "setun.cache.errors",
                        "setun.cache.invalid",
                        "setun.cache.saved",
                        "setun.cache.dropped",
                        "setun.cache.written",
                        "setun.state.save",
                        "setun.state.restore");
    }

    @Test
    void theTimesOfAnAnswerAreToldAndAddUp() throws Exception {
        long start = System.nanoTime();
        JsonNode timings = JsonMapper.shared()
                .readTree(post(
                                server,
                                "/v1/completions",
                                "{\"prompt\":\"Once upon a time there\",\"max_tokens\":12,\"include_timings\":true}")
                        .body())
                .required("timings");
        double elapsed = (System.nanoTime() - start) / 1e6;

        assertThat(timings.required("predicted_n").intValue()).isBetween(1, 12);
        assertThat(timings.required("prompt_n").intValue()).isPositive();
        assertThat(timings.required("prompt_ms").doubleValue()).isPositive();
        assertThat(timings.required("time_to_first_token_ms").doubleValue())
                .isGreaterThanOrEqualTo(timings.required("prompt_ms").doubleValue());
        assertThat(timings.required("queue_ms").doubleValue()
                        + timings.required("prompt_ms").doubleValue()
                        + timings.required("predicted_ms").doubleValue())
                .isLessThan(elapsed);
    }

    @Test
    void keysAndRatesHoldAndManagementHasItsOwnPort() throws Exception {
        String body = "{\"prompt\":\"x\",\"max_tokens\":1}";
        try (ConfigurableApplicationContext other = start(
                "--setun.model.path=" + DENSE_MODEL,
                "--setun.metrics.vllm-names=true",
                "--setun.server.api-keys.alice=a-key",
                "--setun.server.requests-per-minute=1000",
                "--setun.server.key-limits.alice.requests-per-minute=1",
                "--setun.server.tokens-per-minute=1000",
                "--management.server.port=0")) {
            assertThat(post(other, "/v1/completions", body).statusCode()).isEqualTo(401);

            HttpResponse<String> answered = HTTP.send(withKey(other, body), HttpResponse.BodyHandlers.ofString());
            assertThat(answered.statusCode()).as(answered.body()).isEqualTo(200);
            assertThat(answered.headers().firstValue("x-ratelimit-limit-requests"))
                    .hasValue("1");
            assertThat(answered.headers().firstValue("x-ratelimit-limit-tokens"))
                    .hasValue("1000");

            HttpResponse<String> refused = HTTP.send(withKey(other, body), HttpResponse.BodyHandlers.ofString());
            assertThat(refused.statusCode()).isEqualTo(429);

            String management = other.getEnvironment().getRequiredProperty("local.management.port");
            URI metrics = URI.create("http://localhost:" + management + "/actuator/prometheus");
            assertThat(HTTP.send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString())
                            .body())
                    .contains(
                            "vllm:num_requests_waiting{model_name=",
                            "vllm:kv_cache_usage_perc{model_name=",
                            "vllm:generation_tokens_total{model_name=")
                    .containsPattern("setun_requests_rejected_total\\{[^}]*reason=\"rate_limit\"} 1.0");
        }
    }

    private static HttpRequest withKey(ConfigurableApplicationContext server, String body) {
        return HttpRequest.newBuilder(request(server, "/v1/completions", body), (name, value) -> true)
                .header("Authorization", "Bearer a-key")
                .build();
    }

    @Test
    void aKeyFileThatIsWrongIsExplained(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("keys"), "alice:a-key\nsecret\n");

        Exception failure = catchThrowableOfType(
                Exception.class,
                () -> start("--setun.model.path=" + DENSE_MODEL, "--setun.server.api-key-file=" + file)
                        .close());

        assertThat(Objects.requireNonNull(new InvalidApiSettingFailureAnalyzer().analyze(failure))
                        .getDescription())
                .isEqualTo(file + ", line 2: expected name:key or name:sha256:hash, found no ':'");
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void aKeyWithoutANameIsNotLogged(CapturedOutput output) {
        assertThat(catchThrowableOfType(
                        Exception.class,
                        () -> start("--setun.server.api-keys=open-sesame").close()))
                .isNotNull();
        assertThat(output)
                .contains("setun.server.api-keys: expected a name for each key")
                .doesNotContain("open-sesame");
    }

    @Test
    void aClientThatLeavesFreesItsPlace() throws Exception {
        Engine engine = server.getBean(Engine.class);
        int free = engine.status().freeSlots();
        HttpResponse<InputStream> response = stream(server, 4000);
        assertThat(response.body().read()).isPositive();

        response.body().close();

        CompletableFuture<Void> freed = CompletableFuture.runAsync(() -> {
            while (engine.status().freeSlots() < free) {
                Thread.onSpinWait();
            }
        });
        freed.get(10, TimeUnit.SECONDS);
    }

    @Test
    void shutdownLetsARunningStreamFinish() throws Exception {
        ConfigurableApplicationContext other = start();
        HttpResponse<InputStream> response = stream(other, 300);
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            assertThat(reader.readLine()).startsWith("data: {");

            CompletableFuture<Void> closed = CompletableFuture.runAsync(other::close);
            List<String> rest = reader.lines().filter(line -> !line.isEmpty()).toList();

            assertThat(rest.getLast()).isEqualTo("data: [DONE]");
            assertThat(rest.get(rest.size() - 2)).contains("\"finish_reason\":\"");
            closed.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void shutdownTellsAStreamThatTakesTooLong() throws Exception {
        ConfigurableApplicationContext other = start("--setun.engine.drain-timeout=0s");
        HttpResponse<InputStream> response = stream(other, 4000);
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            assertThat(reader.readLine()).startsWith("data: {");

            CompletableFuture<Void> closed = CompletableFuture.runAsync(other::close);
            List<String> rest = reader.lines().filter(line -> !line.isEmpty()).toList();

            assertThat(rest.getLast()).isEqualTo("data: [DONE]");
            assertThat(rest.get(rest.size() - 2))
                    .startsWith("data: {\"error\":")
                    .contains("\"draining\"");
            closed.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void aModelThatIsNotThereIsExplained(@TempDir Path directory) {
        Path missing = directory.resolve("missing");

        assertThat(explain(missing)).contains(missing.toString());
    }

    @Test
    void aModelWithoutATokenizerIsExplained(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("config.json"), "{}");

        assertThat(explain(directory)).contains("tokenizer.json", "expected", "found");
    }

    @Test
    void aGgufModelAnswersWithTheTokenizerThatItCarries(@TempDir Path directory) throws Exception {
        Path model = directory.resolve("model.gguf");
        Files.copy(DENSE_MODEL, model);
        try (ConfigurableApplicationContext other = start("--setun.model.path=" + model)) {
            String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":3}";
            HttpResponse<String> response = post(other, "/v1/chat/completions", body);

            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(other.getBean(GenerationSettings.class).stopTokens()).containsExactlyInAnyOrder(505, 506);
        }
    }

    private static String explain(Path model) {
        Exception failure = catchThrowableOfType(
                Exception.class, () -> start("--setun.model.path=" + model).close());
        FailureAnalysis analysis = Objects.requireNonNull(new ModelUnavailableFailureAnalyzer().analyze(failure));
        assertThat(analysis.getAction()).contains("--setun.model.path");
        return analysis.getDescription();
    }

    private static ConfigurableApplicationContext start(String... arguments) {
        return SetunApplication.start(Stream.concat(Stream.of("--server.port=0"), Stream.of(arguments))
                .toArray(String[]::new));
    }

    private static HttpResponse<InputStream> stream(ConfigurableApplicationContext server, int maxTokens)
            throws Exception {
        String body = "{\"prompt\":\"Once\",\"stream\":true,\"max_tokens\":" + maxTokens + "}";
        return HTTP.send(request(server, "/v1/completions", body), HttpResponse.BodyHandlers.ofInputStream());
    }

    private static HttpResponse<String> post(ConfigurableApplicationContext server, String path, String body)
            throws Exception {
        return HTTP.send(request(server, path, body), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest request(ConfigurableApplicationContext server, String path, String body) {
        return HttpRequest.newBuilder(uri(server, path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private static HttpResponse<String> get(String path) throws Exception {
        return HTTP.send(HttpRequest.newBuilder(uri(server, path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static URI uri(ConfigurableApplicationContext server, String path) {
        return URI.create("http://localhost:" + port(server) + path);
    }

    private static String port(ConfigurableApplicationContext server) {
        return server.getEnvironment().getRequiredProperty("local.server.port");
    }
}
