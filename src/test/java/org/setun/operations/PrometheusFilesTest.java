package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The real {@code promtool} takes the configuration and the rules, and the rules do what they are for. */
@Timeout(120)
final class PrometheusFilesTest {

    private static final Path CONFIGURATION = Path.of("src/main/docker/prometheus/prometheus.yml");
    private static final Path CASES = Path.of("src/test/resources/prometheus/rules-test.yml");

    @TempDir
    private static Path copies;

    @BeforeAll
    static void copy() throws Exception {
        for (Path file : new Path[] {CONFIGURATION, Rules.FILE, CASES}) {
            Files.createDirectories(copies.resolve(file).getParent());
            Files.copy(file, copies.resolve(file));
        }
    }

    @Test
    void theConfigurationAndTheRulesAreValid() throws Exception {
        assertThat(RealPrometheus.promtool(copies, "check config " + CONFIGURATION)
                        .succeeded())
                .contains("SUCCESS: " + CONFIGURATION);
        assertThat(RealPrometheus.promtool(copies, "check rules " + Rules.FILE).succeeded())
                .contains("SUCCESS");
    }

    @Test
    void theRulesDoWhatTheyAreFor() throws Exception {
        assertThat(RealPrometheus.promtool(copies, "test rules " + CASES).succeeded())
                .contains("SUCCESS");
    }

    @Test
    void everyAlertRisesInACaseAndSaysWhatToDo() {
        Set<String> risen = new HashSet<>();
        for (JsonNode test : Yaml.read(CASES).path("tests")) {
            for (JsonNode alert : test.path("alert_rule_test")) {
                if (!alert.path("exp_alerts").isEmpty()) {
                    risen.add(alert.path("alertname").asString());
                }
            }
        }
        assertThat(Rules.read().alerts()).isNotEmpty().allSatisfy(alert -> {
            assertThat(risen).contains(alert.path("alert").asString());
            assertThat(alert.path("labels").path("severity").asString()).isIn("critical", "warning", "info");
            assertThat(alert.path("annotations").path("summary").asString()).endsWith(".");
            assertThat(alert.path("annotations").path("description").asString()).endsWith(".");
        });
    }
}
