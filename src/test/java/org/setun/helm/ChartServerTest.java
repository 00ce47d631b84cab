package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.SetunApplication;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.context.reactive.StandardReactiveWebEnvironment;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import tools.jackson.databind.JsonNode;

/** The server, started as a container of the chart would start it, answers at the ports and paths that the chart names. */
@Timeout(180)
final class ChartServerTest {

    private static final String KEYS = "alice:a-key\nbob:b-key\n";
    private static final Pattern METRIC = Pattern.compile("setun_[a-z_]+");

    @TempDir
    private Path root;

    @ParameterizedTest
    @ValueSource(strings = {"default", "secured", "inference-pool"})
    void theServerAnswersWhereTheChartSays(String scenario) throws Exception {
        Rendering chart = Chart.render(scenario);
        try (ConfigurableApplicationContext server = start(chart)) {
            for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
                JsonNode get = chart.server().path(probe).path("httpGet");
                String path = get.path("path").asString();
                assertThat(get(port(server, get.path("port").asString()), path).statusCode())
                        .as("%s: %s", probe, path)
                        .isEqualTo(200);
            }
            int api = port(server, "http");
            boolean apart = !chart.server()
                    .at("/readinessProbe/httpGet/port")
                    .asString()
                    .equals("http");
            assertThat(get(api, "/actuator/prometheus").statusCode()).isEqualTo(apart ? 404 : 200);
            boolean locked = Chart.read("ci/" + scenario + "-values.yaml").has("apiKeys");
            assertThat(get(api, "/v1/models").statusCode()).isEqualTo(locked ? 401 : 200);
            assertThat(get(api, "/v1/models", "Authorization", "Bearer b-key").statusCode())
                    .isEqualTo(200);
            assertMetrics(chart, get(port(server, managementPortName(chart)), "/actuator/prometheus"));
        }
    }

    private static void assertMetrics(Rendering chart, HttpResponse<String> metrics) {
        assertThat(metrics.statusCode()).isEqualTo(200);
        assertThat(chart.all("ServiceMonitor")
                        .map(monitor -> monitor.at("/spec/endpoints/0/path").asString()))
                .allMatch(path -> path.equals(metrics.uri().getPath()));
        assertThat(Stream.of("hpa", "keda")
                        .map(Chart::render)
                        .flatMap(scaled ->
                                Stream.concat(scaled.all("HorizontalPodAutoscaler"), scaled.all("ScaledObject")))
                        .flatMap(scaler ->
                                METRIC.matcher(scaler.toString()).results().map(found -> found.group()))
                        .distinct())
                .contains("setun_requests_waiting", "setun_requests_running")
                .allSatisfy(name -> assertThat(metrics.body()).contains("# TYPE " + name + " gauge"));
        if (chart.all("InferencePool").findAny().isPresent()) {
            // What an endpoint picker reads if it is told nothing else.
            for (String name : List.of("num_requests_waiting", "num_requests_running", "kv_cache_usage_perc")) {
                assertThat(metrics.body()).contains("# TYPE vllm:" + name + " gauge");
            }
        }
    }

    /** Starts the server with a container's variables and files, but at free ports. */
    private ConfigurableApplicationContext start(Rendering chart) throws IOException {
        write("etc/setun/config/application.yaml", chart.applicationYaml().replace("/etc/", root + "/etc/"));
        write("etc/setun/keys/api-keys", KEYS);
        Map<String, Object> variables = new HashMap<>(System.getenv());
        chart.server().path("env").valueStream().forEach(variable -> {
            String value = variable.at("/valueFrom/resourceFieldRef").isObject()
                    ? "2"
                    // Nobody is there: a Redis that is away must keep no replica from being ready.
                    : variable.path("value").asString("redis://localhost:1");
            variables.put(variable.path("name").asString(), value.replace("/etc/", root + "/etc/"));
        });
        StandardReactiveWebEnvironment environment = new StandardReactiveWebEnvironment();
        String name = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
        environment.getPropertySources().replace(name, new SystemEnvironmentPropertySource(name, variables));
        SpringApplication application = new SpringApplication(SetunApplication.class);
        application.setEnvironment(environment);
        List<String> arguments =
                new ArrayList<>(List.of("--server.port=0", "--spring.main.register-shutdown-hook=false"));
        if (chart.applicationYaml().contains("management.server.port:")) {
            arguments.add("--management.server.port=0");
        }
        return application.run(arguments.toArray(String[]::new));
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private static String managementPortName(Rendering chart) {
        return chart.server().at("/livenessProbe/httpGet/port").asString();
    }

    private static int port(ConfigurableApplicationContext server, String name) {
        String property = name.equals("http") ? "local.server.port" : "local.management.port";
        return server.getEnvironment().getRequiredProperty(property, Integer.class);
    }

    private static HttpResponse<String> get(int port, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }
}
