package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.store.RealRedis;
import tools.jackson.databind.JsonNode;

/**
 * A real Prometheus that reads a real server under load, with the model that ships and a real Redis, has an answer to all that the
 * dashboard and the rules ask.
 */
@Timeout(300)
final class ObservedServerIT {

    private static final Pattern READY = Pattern.compile("http://localhost:(\\d+)/v1");

    @TempDir
    private static Path directory;

    private static RealRedis redis;
    private static Process server;
    private static Load load;
    private static RealPrometheus prometheus;
    private static String url;

    @BeforeAll
    static void start() throws Exception {
        redis = RealRedis.start();
        server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-jar",
                        Objects.requireNonNull(
                                System.getProperty("setun.jar"),
                                "the build sets setun.jar to the packaged application"),
                        "serve",
                        "--server.port=0",
                        "--setun.redis.url=" + redis.uri(),
                        // So few that some requests wait, and some are rejected.
                        "--setun.engine.max-sequences=4",
                        "--setun.engine.max-queued-requests=4",
                        // So little that some states are only in Redis.
                        "--setun.engine.prefix-cache-memory=100KB")
                .redirectErrorStream(true)
                .start();
        int port = awaitPort();
        url = "http://localhost:" + port;
        // As docker-compose.yml has it, but for the server's address and the times between two looks.
        String configuration = Files.readString(Path.of("src/main/docker/prometheus/prometheus.yml"))
                .replace("setun:8080", "localhost:" + port)
                .replaceAll("_interval: 15s", "_interval: 1s");
        Files.writeString(directory.resolve("prometheus.yml"), configuration);
        Files.copy(Rules.FILE, directory.resolve("rules.yml"));
        prometheus = RealPrometheus.start(directory, "prometheus.yml");
        // The memory's bandwidth is measured while nobody asks for anything.
        await().atMost(Duration.ofSeconds(60)).until(() -> prometheus.hasData("setun:memory_bandwidth:ratio"));
        load = new Load(url);
    }

    @AfterAll
    static void stop() {
        for (AutoCloseable part :
                new AutoCloseable[] {prometheus, load, server == null ? null : server::destroyForcibly, redis}) {
            if (part != null) {
                try {
                    part.close();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    // The log is read on, lest the server wait for its reader.
    private static int awaitPort() throws Exception {
        BufferedReader log = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        StringBuilder seen = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            seen.append(line).append('\n');
            Matcher matcher = READY.matcher(line);
            if (matcher.find()) {
                Thread.ofVirtual().start(() -> log.lines().forEach(rest -> {}));
                return Integer.parseInt(matcher.group(1));
            }
        }
        throw new AssertionError("the server ended before it was ready:\n" + seen);
    }

    @Test
    void everyPanelAndEveryRecordingRuleHasData() {
        List<Dashboard.Query> asked = new ArrayList<>(Dashboard.read().queries());
        for (JsonNode rule : Rules.read().recording()) {
            asked.add(new Dashboard.Query("rule", rule.path("record").asString()));
        }
        List<Dashboard.Query> without = new ArrayList<>(asked);

        await().atMost(Duration.ofSeconds(100))
                .pollInterval(Duration.ofSeconds(2))
                .untilAsserted(() -> {
                    without.removeIf(query -> prometheus.hasData(query.expression()));
                    assertThat(without)
                            .as("queries without an answer, of %s; the load: %s", asked.size(), load)
                            .isEmpty();
                });
    }

    @Test
    void everyMetricThatAnAlertReadsIsThere() {
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    Set<String> there = new TreeSet<>();
                    for (JsonNode name : prometheus.ask("label/__name__/values")) {
                        there.add(name.asString());
                    }
                    assertThat(Rules.read().expressions().flatMap(expression -> Dashboard.metrics(expression).stream()))
                            .isSubsetOf(there);
                });
        Set<String> alerts = new TreeSet<>();
        for (JsonNode group : prometheus.ask("rules?type=alert").path("groups")) {
            for (JsonNode rule : group.path("rules")) {
                assertThat(rule.path("lastError").asString()).isEmpty();
                alerts.add(rule.path("name").asString());
            }
        }
        assertThat(alerts).hasSameSizeAs(Rules.read().alerts());
        assertThat(prometheus
                        .ask("targets")
                        .path("activeTargets")
                        .path(0)
                        .path("health")
                        .asString())
                .isEqualTo("up");
    }

    @Test
    void promtoolHasNothingToSayAboutOurMetrics() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            String all = client.send(
                            HttpRequest.newBuilder(URI.create(url + "/actuator/prometheus"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            String ours = all.lines()
                    .filter(line -> line.matches("(# (HELP|TYPE) )?setun_.*"))
                    .collect(Collectors.joining("\n", "", "\n"));
            assertThat(ours).contains("setun_requests_running");
            Files.writeString(directory.resolve("scrape.txt"), ours);
        }
        assertThat(RealPrometheus.promtool(directory, "check metrics < scrape.txt")
                        .succeeded())
                .isBlank();
    }
}
