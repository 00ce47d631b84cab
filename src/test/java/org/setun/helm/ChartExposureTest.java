package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import com.marcnuri.helm.TemplateCommand;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.metrics.SetunMeter;
import tools.jackson.databind.JsonNode;

/** Who reaches what: the world the API, Prometheus the metrics, and under labels that mean what they say. */
final class ChartExposureTest {

    private static final String API_TO_CHAT = "networkPolicy.from[0].podSelector.matchLabels.app";
    private static final String METRICS_TO_PROMETHEUS = "networkPolicy.metricsFrom[0].podSelector.matchLabels.app";

    @ParameterizedTest
    @ValueSource(strings = {"gateway", "ingress", "inference-pool"})
    void everyEndpointIsRouted(String scenario) {
        List<String> endpoints = List.copyOf(Chart.read(Path.of("src/main/resources/openapi.json"))
                .path("paths")
                .propertyNames());
        assertThat(endpoints).contains("/v1/completions", "/tokenize").allMatch(path -> routes(scenario, 8080, path));
        assertThat(endpoints).allMatch(path -> routes(scenario, 8081, path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gateway", "ingress", "inference-pool"})
    void nothingElseIsRoutedWhereManagementIsAtTheSamePort(String scenario) {
        assertThat(Stream.of("/actuator", "/actuator/health/readiness", "/actuator/prometheus", "/v1x"))
                .noneMatch(path -> routes(scenario, 8080, path));
    }

    private static boolean routes(String scenario, int managementPort, String path) {
        Rendering chart = Chart.render(scenario, command -> command.set("management.port", managementPort));
        List<JsonNode> matches = Stream.concat(
                        chart.all("HTTPRoute")
                                .flatMap(route -> route.at("/spec/rules").valueStream())
                                .flatMap(rule -> rule.path("matches").valueStream())
                                .map(match -> match.path("path")),
                        chart.all("Ingress")
                                .flatMap(ingress -> ingress.at("/spec/rules").valueStream())
                                .flatMap(rule -> rule.at("/http/paths").valueStream()))
                .toList();
        assertThat(matches)
                .isNotEmpty()
                .allMatch(match -> Set.of("Prefix", "PathPrefix")
                        .contains(match.path("pathType")
                                .asString(match.path("type").asString(""))));
        return matches.stream()
                .map(match -> match.path("value").asString(match.path("path").asString("")))
                // Of whole elements of the path, as Kubernetes has it.
                .anyMatch(prefix -> (path + "/").startsWith(prefix.equals("/") ? "/" : prefix + "/"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            8081 | false | false | http of all, management of all
            8081 | true  | false | http of chat, management of all
            8081 | true  | true  | http of chat, management of prometheus
            8080 | false | false | http of all
            8080 | true  | false | http of chat
            8080 | true  | true  | http of chat, http of prometheus
            """)
    void nobodyReachesMoreThanWasSaid(int managementPort, boolean from, boolean metricsFrom, String expected) {
        Rendering chart = Chart.render("default", command -> {
            TemplateCommand more = command.set("networkPolicy.enabled", true).set("management.port", managementPort);
            more = from ? more.set(API_TO_CHAT, "chat") : more;
            return metricsFrom ? more.set(METRICS_TO_PROMETHEUS, "prometheus") : more;
        });
        Stream<String> rules = chart.only("NetworkPolicy")
                .at("/spec/ingress")
                .valueStream()
                .map(rule -> rule.at("/ports/0/port").asString() + " of "
                        + rule.at("/from/0/podSelector/matchLabels/app").asString("all"));
        assertThat(rules).containsExactly(expected.split(", "));
    }

    @Test
    void namesAreAskedForWherePodsOfAnyPlatformAnswer() {
        JsonNode names = Chart.render("secured").only("NetworkPolicy").at("/spec/egress/0/ports");
        assertThat(names.valueStream()
                        .map(port -> port.path("port").asString() + " "
                                + port.path("protocol").asString()))
                .containsExactly("53 UDP", "53 TCP", "5353 UDP", "5353 TCP");
    }

    @ParameterizedTest
    @ValueSource(strings = {"monitoring", "inference-pool"})
    void noLabelOfTheOperatorHidesATag(String scenario) {
        // Those of a target that is found by a ServiceMonitor; Prometheus renames a series' own ones in their favour.
        Set<String> labels =
                new HashSet<>(Set.of("namespace", "service", "pod", "container", "endpoint", "job", "instance"));
        Chart.render(scenario)
                .only("ServiceMonitor")
                .at("/spec/endpoints/0/relabelings")
                .valueStream()
                .filter(rule -> rule.path("action").asString().equals("labeldrop"))
                .forEach(rule -> labels.removeIf(
                        label -> label.matches(rule.path("regex").asString())));
        assertThat(labels).contains("job", "instance");
        for (SetunMeter meter : SetunMeter.values()) {
            assertThat(meter.tagKeys()).as(meter.meterName()).doesNotContainAnyElementsOf(labels);
        }
    }
}
