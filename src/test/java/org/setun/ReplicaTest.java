package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.store.RealRedis;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Whole servers that share a real Redis. */
@Timeout(120)
final class ReplicaTest {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static final String PROMPT = "Once upon a time there was a little fairy who lived in a tree. ".repeat(12);

    @Test
    void aConversationGoesOnInAnotherServerAndWithoutRedis() throws Exception {
        try (RealRedis redis = RealRedis.start()) {
            String expected;
            try (ConfigurableApplicationContext alone = start()) {
                expected = answer(alone, PROMPT);
            }
            try (ConfigurableApplicationContext one = start("--setun.redis.url=" + redis.uri())) {
                assertThat(answer(one, PROMPT)).isEqualTo(expected);
                assertThat(metric(one, "setun_tokens_prompt_total{", "source=\"cache_redis\""))
                        .isZero();
            }
            try (ConfigurableApplicationContext another =
                    start("--setun.redis.url=" + redis.uri(), "--setun.redis.timeout=5s")) {
                assertThat(answer(another, PROMPT)).isEqualTo(expected);
                assertThat(metric(another, "setun_tokens_prompt_total{", "source=\"cache_redis\""))
                        .isGreaterThan(100);
                assertThat(metric(another, "setun_cache_hits_total{", "tier=\"redis\""))
                        .isEqualTo(1);

                redis.kill();

                assertThat(answer(another, "And then: " + PROMPT)).isNotBlank();
                HttpResponse<String> health = get(another, "/actuator/health");
                assertThat(health.statusCode()).isEqualTo(200);
                assertThat(health.body()).contains("\"UP\"");
                assertThat(get(another, "/actuator/health/readiness").statusCode())
                        .isEqualTo(200);
            }
            long start = System.nanoTime();
            try (ConfigurableApplicationContext without = start("--setun.redis.url=" + redis.uri())) {
                assertThat(answer(without, PROMPT)).isEqualTo(expected);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
        }
    }

    private static ConfigurableApplicationContext start(String... arguments) {
        String[] all = Arrays.copyOf(arguments, arguments.length + 1);
        all[arguments.length] = "--server.port=0";
        return SetunApplication.start(all);
    }

    private static String answer(ConfigurableApplicationContext server, String prompt) throws Exception {
        String body = JsonMapper.shared()
                .createObjectNode()
                .put("prompt", prompt)
                .put("max_tokens", 20)
                .put("temperature", 0)
                .toString();
        HttpRequest request = HttpRequest.newBuilder(uri(server, "/v1/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        JsonNode json = JsonMapper.shared().readTree(response.body());
        return json.get("choices").get(0).get("text").asString();
    }

    /** Returns the value of a metric that stands in the line with both texts. */
    private static double metric(ConfigurableApplicationContext server, String name, String tag) throws Exception {
        String line = get(server, "/actuator/prometheus")
                .body()
                .lines()
                .filter(candidate -> candidate.startsWith(name) && candidate.contains(tag))
                .findFirst()
                .orElseThrow();
        return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
    }

    private static HttpResponse<String> get(ConfigurableApplicationContext server, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri(server, path))
                .timeout(Duration.ofSeconds(20))
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static URI uri(ConfigurableApplicationContext server, String path) {
        return URI.create(
                "http://localhost:" + server.getEnvironment().getRequiredProperty("local.server.port") + path);
    }
}
