package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.store.RealRedis;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** All that the Compose file names is there, and every service is shut in as far as it can be. */
@Timeout(120)
final class ComposeFileTest {

    private static final Set<String> SERVICE_KEYS = Set.of(
            "build",
            "cap_drop",
            "command",
            "depends_on",
            "env_file",
            "environment",
            "healthcheck",
            "image",
            "networks",
            "ports",
            "read_only",
            "restart",
            "security_opt",
            "stop_grace_period",
            "tmpfs",
            "user",
            "volumes");

    private final ComposeFile compose = ComposeFile.read();

    @Test
    void itHasSetunRedisPrometheusAndGrafana() {
        assertThat(compose.services()).containsOnlyKeys("setun", "redis", "prometheus", "grafana");
        assertThat(names(compose.document()))
                .containsExactlyInAnyOrder("name", "x-hardened", "services", "volumes", "networks");
    }

    @Test
    void everyServiceIsShutIn() {
        assertThat(compose.services()).allSatisfy((name, service) -> {
            assertThat(SERVICE_KEYS).containsAll(names(service));
            assertThat(service.path("read_only").asBoolean()).isTrue();
            assertThat(compose.list(name, "cap_drop")).containsExactly("ALL");
            assertThat(compose.list(name, "security_opt")).containsExactly("no-new-privileges:true");
            assertThat(compose.image(name)).matches("[a-z/]+:v?\\d+\\.\\d+\\.\\d+.*");
            assertThat(compose.list(name, "ports")).allMatch(port -> port.startsWith("127.0.0.1:"));
            // The image of Setun says itself how its health is checked.
            assertThat(service.has("healthcheck")).isEqualTo(!name.equals("setun"));
        });
        assertThat(compose.document()
                        .path("networks")
                        .path("store")
                        .path("internal")
                        .asBoolean())
                .isTrue();
        assertThat(compose.list("redis", "networks")).containsExactly("store");
    }

    @Test
    void whatServicesNameIsThere() {
        Set<String> volumes = names(compose.document().path("volumes"));
        Set<String> networks = names(compose.document().path("networks"));
        assertThat(compose.services()).allSatisfy((name, service) -> {
            assertThat(networks).containsAll(compose.list(name, "networks"));
            assertThat(names(service.path("depends_on")))
                    .isSubsetOf(compose.services().keySet());
            for (String volume : compose.list(name, "volumes")) {
                String source = volume.substring(0, volume.indexOf(':'));
                if (source.startsWith(".")) {
                    assertThat(Path.of(source)).exists();
                    assertThat(volume).endsWith(":ro");
                } else {
                    assertThat(volumes).contains(source);
                }
            }
        });
        assertThat(compose.service("setun").path("build").path("context").asString())
                .isEqualTo(".");
    }

    @Test
    void setunGetsSettingsThatExistAndTimeToDrain() throws Exception {
        Map<String, String> environment = compose.environment("setun");
        StandardEnvironment spring = new StandardEnvironment();
        spring.getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource("systemEnvironment", Map.copyOf(environment)));
        Binder binder = new Binder(ConfigurationPropertySources.get(spring));
        Set<String> known = documentedSettings();
        Set<String> given = new HashSet<>();
        for (String setting : known) {
            if (binder.bind(setting, Bindable.of(String.class)).isBound()) {
                given.add(setting);
            }
        }
        assertThat(given).as("of %s", environment.keySet()).hasSameSizeAs(environment.keySet());
        assertThat(environment).containsEntry("SETUN_REDIS_URL", "redis://redis:6379");

        JsonNode application = Yaml.read(Path.of("src/main/resources/application.yaml"));
        String phase = application
                .path("spring")
                .path("lifecycle")
                .path("timeout-per-shutdown-phase")
                .asString();
        assertThat(phase).isEqualTo("10s");
        // 30 s are the default of setun.engine.drain-timeout, which SetunPropertiesTest checks.
        assertThat(compose.service("setun").path("stop_grace_period").asString())
                .isEqualTo("45s");
    }

    @Test
    void keysCanBeGivenInAFileThatNobodyCommitsOrBuildsIn() throws Exception {
        JsonNode files = compose.service("setun").path("env_file");
        assertThat(files.size()).isEqualTo(1);
        // Who has written none needs none.
        assertThat(files.get(0).path("required").asBoolean(true)).isFalse();
        String file = files.get(0).path("path").asString();
        assertThat(Files.readAllLines(Path.of(".gitignore"))).contains(file);
        assertThat(new DockerIgnore(Path.of(".dockerignore")).includes(Path.of(file)))
                .isFalse();
        assertThat(Files.readString(ComposeFile.FILE))
                .contains(file + " beside this one", "SETUN_SERVER_APIKEYS_NAME='");
    }

    private static Set<String> documentedSettings() throws Exception {
        Set<String> settings = new HashSet<>();
        JsonNode metadata = JsonMapper.shared()
                .readTree(Files.readString(Path.of("target/classes/META-INF/spring-configuration-metadata.json")));
        for (JsonNode property : metadata.path("properties")) {
            settings.add(property.path("name").asString());
        }
        return settings;
    }

    @Test
    void redisTakesItsOptions() {
        List<String> command = compose.list("redis", "command");
        assertThat(command.getFirst()).isEqualTo("redis-server");
        try (RealRedis redis = RealRedis.start(command.subList(1, command.size()))) {
            Map<String, String> configuration = redis.commands(commands -> commands.configGet("*"));
            assertThat(configuration)
                    .containsEntry("save", "")
                    .containsEntry("appendonly", "no")
                    .containsEntry("maxmemory", String.valueOf(256 << 20))
                    .containsEntry("maxmemory-policy", "allkeys-lru");
        }
    }

    @Test
    void prometheusAndGrafanaFindTheirFilesAndEachOther() {
        List<String> prometheus = compose.list("prometheus", "volumes");
        assertThat(compose.list("prometheus", "command")).contains("--config.file=/etc/prometheus/prometheus.yml");
        assertThat(prometheus)
                .contains(
                        "./src/main/docker/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro",
                        "./" + Rules.FILE + ":/etc/prometheus/rules.yml:ro");
        JsonNode scrape = Yaml.read(Path.of("src/main/docker/prometheus/prometheus.yml"))
                .path("scrape_configs")
                .path(0);
        assertThat(scrape.path("static_configs").path(0).path("targets").path(0).asString())
                .isEqualTo("setun:8080");

        Path provisioning = Path.of("src/main/docker/grafana/provisioning");
        JsonNode source = Yaml.read(provisioning.resolve("datasources/prometheus.yml"))
                .path("datasources")
                .path(0);
        assertThat(source.path("url").asString()).isEqualTo("http://prometheus:9090");
        String directory = Yaml.read(provisioning.resolve("dashboards/setun.yml"))
                .path("providers")
                .path(0)
                .path("options")
                .path("path")
                .asString();
        assertThat(compose.list("grafana", "volumes"))
                .contains("./" + Dashboard.FILE.getParent() + ":" + directory + ":ro");
        assertThat(compose.environment("grafana"))
                .containsEntry("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", directory + "/setun.json");
        assertThat(Stream.of("prometheus", "grafana"))
                .allSatisfy(name -> assertThat(compose.list(name, "networks")).containsExactly("front"));
    }

    private static Set<String> names(JsonNode object) {
        return new HashSet<>(new ArrayList<>(object.propertyNames()));
    }
}
