package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.SetunProperties.Server.KeyLimits;
import org.setun.helm.Chart;
import org.setun.helm.Rendering;
import org.setun.model.KeyValueFormat;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every property and environment variable that the chart in {@code helm} sets is one that Setun or Spring Boot reads. */
final class ChartSettingsTest {

    /** Of which no metadata tells: the JVM's flags, Spring's own beginning, and what {@code pull} reads. */
    private static final Set<String> OTHER_VARIABLES = Set.of(
            "JDK_JAVA_OPTIONS",
            "SPRING_CONFIG_ADDITIONAL_LOCATION",
            "SETUN_MODELS",
            "HF_ENDPOINT",
            "HF_TOKEN",
            "HTTPS_PROXY");

    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties(SetunProperties.class)
    static class Settings {}

    static List<String> scenarios() {
        return Chart.scenarios();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyPropertyIsSetunsOrSprings(String scenario) throws Exception {
        Set<String> known = documentedProperties();
        assertThat(application(scenario).getPropertyNames())
                .filteredOn(name -> !name.startsWith("setun."))
                .isNotEmpty()
                .allSatisfy(
                        name -> assertThat(known).contains(name.startsWith("logging.level.") ? "logging.level" : name));
        // Setun itself refuses those that it does not know.
        bind(scenario, properties -> assertThat(properties).isNotNull());
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyVariableHasAReader(String scenario) throws Exception {
        Set<String> known = documentedProperties().stream()
                .filter(name -> name.startsWith("setun."))
                .map(name -> name.replace("-", "").replace('.', '_').toUpperCase(Locale.ROOT))
                .collect(Collectors.toSet());
        known.addAll(OTHER_VARIABLES);
        for (JsonNode container : Chart.render(scenario).containers()) {
            assertThat(known)
                    .containsAll(container
                            .path("env")
                            .valueStream()
                            .map(variable -> variable.path("name").asString())
                            .toList());
        }
    }

    @Test
    void valuesArriveAsSettings() {
        bind("claim", properties -> {
            assertThat(properties.model().path()).isEqualTo(Path.of("/models/bitnet-2b4t"));
            assertThat(properties.model().name()).isEqualTo("bitnet");
            assertThat(properties.engine().threads()).isEqualTo(8);
            assertThat(properties.engine().maxSequences()).isEqualTo(64);
            assertThat(properties.engine().keyValueFormat()).isEqualTo(KeyValueFormat.F16);
            assertThat(properties.engine().drainTimeout()).isEqualTo(Duration.ofSeconds(30));
        });
        bind("secured", properties -> {
            assertThat(properties.engine().drainTimeout()).isEqualTo(Duration.ofMinutes(2));
            assertThat(properties.server().apiKeyFile()).isEqualTo(Path.of("/etc/setun/keys/api-keys"));
            assertThat(properties.server().requestsPerMinute()).isEqualTo(60);
            assertThat(properties.server().keyLimits()).isEqualTo(Map.of("alice", new KeyLimits(600L, null)));
            assertThat(properties.server().corsAllowedOrigins()).containsExactly("https://chat.example.org");
            assertThat(properties.redis().url()).isEqualTo("redis://redis:6380");
            assertThat(properties.redis().ttl()).isEqualTo(Duration.ofHours(4));
        });
        bind(
                "hub-claim",
                properties -> assertThat(properties.engine().threads()).isEqualTo(4));
        bind("openshift", properties -> {
            assertThat(properties.engine().threads()).isNull();
            assertThat(properties.engine().drainTimeout()).isZero();
        });
    }

    @ParameterizedTest
    @CsvSource({
        "claim, /models/bitnet-2b4t",
        "hub, /models/microsoft/bitnet-b1.58-2B-4T",
        "hub-claim, /models/owner/name-GGUF/model-TQ2_0.gguf",
        "default, ''"
    })
    void theModelIsServedFromWhereItIs(String scenario, Path path) {
        bind(
                scenario,
                properties -> assertThat(properties.model().path())
                        .isEqualTo(path.toString().isEmpty() ? null : path));
        boolean mounted = Chart.render(scenario)
                .server()
                .path("volumeMounts")
                .valueStream()
                .anyMatch(mount -> mount.path("mountPath").asString().equals("/models")
                        && mount.path("readOnly").asBoolean());
        assertThat(mounted).isEqualTo(!path.toString().isEmpty());
    }

    @Test
    void onlyWhoFetchesTheModelHasTheToken() {
        Rendering hub = Chart.render("hub");
        assertThat(Rendering.variable(hub.containers().getFirst(), "HF_TOKEN")
                        .orElseThrow()
                        .at("/valueFrom/secretKeyRef")
                        .toString())
                .isEqualTo("{\"name\":\"hub\",\"key\":\"token\"}");
        assertThat(Rendering.variable(hub.server(), "HF_TOKEN")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "'', 443",
        "https://hub.example.org, 443",
        "http://hub.example.org/x, 80",
        "https://hub.example.org:8443, 8443"
    })
    void theNetworkPolicyLetsTheHubsPortOut(String endpoint, int port) {
        Rendering chart = Chart.render("hub", command -> command.set("model.hub.endpoint", endpoint));
        assertThat(chart.only("NetworkPolicy")
                        .at("/spec/egress")
                        .valueStream()
                        .map(rule -> rule.at("/ports/0/port").asInt()))
                .containsExactly(53, port, 3128);
    }

    /** Has Spring bind what a container would find: variables, with a number of processors and an address for Redis, and the file. */
    private static void bind(String scenario, Consumer<SetunProperties> check) {
        Map<String, Object> variables = new HashMap<>();
        Chart.render(scenario).server().path("env").valueStream().forEach(variable -> {
            boolean processors = variable.at("/valueFrom/resourceFieldRef").isObject();
            variables.put(
                    variable.path("name").asString(),
                    processors ? "8" : variable.path("value").asString("redis://redis:6380"));
        });
        String name = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
        new ApplicationContextRunner()
                .withUserConfiguration(Settings.class)
                .withInitializer(context -> {
                    context.getEnvironment()
                            .getPropertySources()
                            .replace(name, new SystemEnvironmentPropertySource(name, variables));
                    context.getEnvironment().getPropertySources().addLast(application(scenario));
                })
                .run(context -> check.accept(context.getBean(SetunProperties.class)));
    }

    private static EnumerablePropertySource<?> application(String scenario) {
        byte[] text = Chart.render(scenario).applicationYaml().getBytes(StandardCharsets.UTF_8);
        try {
            return (EnumerablePropertySource<?>) new YamlPropertySourceLoader()
                    .load("application.yaml", new ByteArrayResource(text))
                    .getFirst();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the properties that the metadata on the class path describes: Spring Boot's and Setun's. */
    private static Set<String> documentedProperties() throws IOException {
        Set<String> names = new HashSet<>();
        for (URL metadata : Collections.list(
                ChartSettingsTest.class.getClassLoader().getResources("META-INF/spring-configuration-metadata.json"))) {
            try (InputStream in = metadata.openStream()) {
                JsonMapper.shared()
                        .readTree(in)
                        .path("properties")
                        .forEach(property -> names.add(property.path("name").asString()));
            }
        }
        return names;
    }
}
