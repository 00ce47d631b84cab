package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** What an object names, is there: ports, volumes, Services, the pods that a selector means. */
final class ChartReferencesTest {

    static List<String> scenarios() {
        return Chart.scenarios();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everySelectorMeansThePods(String scenario) {
        Rendering chart = Chart.render(scenario);
        JsonNode labels = chart.only("Deployment").at("/spec/template/metadata/labels");
        Stream<JsonNode> selectors = Stream.of(
                        chart.all("Deployment").map(object -> object.at("/spec/selector/matchLabels")),
                        chart.all("Service").map(object -> object.at("/spec/selector")),
                        chart.all("PodDisruptionBudget").map(object -> object.at("/spec/selector/matchLabels")),
                        chart.all("NetworkPolicy").map(object -> object.at("/spec/podSelector/matchLabels")),
                        chart.all("InferencePool").map(object -> object.at("/spec/selector/matchLabels")),
                        chart.pod()
                                .path("topologySpreadConstraints")
                                .valueStream()
                                .map(constraint -> constraint.at("/labelSelector/matchLabels")))
                .flatMap(found -> found);
        assertThat(selectors).isNotEmpty().allSatisfy(selector -> {
            assertThat(selector.propertyNames())
                    .containsExactlyInAnyOrder("app.kubernetes.io/name", "app.kubernetes.io/instance");
            assertThat(labels.properties()).containsAll(selector.properties());
        });
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyPortThatIsNamedIsOneOfTheServers(String scenario) {
        Rendering chart = Chart.render(scenario);
        Set<String> ports = names(chart.server().path("ports"));
        assertThat(chart.all("Service")
                        .flatMap(service -> service.at("/spec/ports").valueStream()))
                .isNotEmpty()
                .allSatisfy(port ->
                        assertThat(ports).contains(port.path("targetPort").asString()));
        for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
            assertThat(ports)
                    .contains(chart.server().path(probe).at("/httpGet/port").asString());
        }
        assertThat(chart.all("NetworkPolicy")
                        .flatMap(policy -> policy.at("/spec/ingress").valueStream())
                        .flatMap(rule -> rule.path("ports").valueStream()))
                .allSatisfy(port -> assertThat(ports).contains(port.path("port").asString()));
        assertThat(chart.all("InferencePool")
                        .map(pool -> pool.at("/spec/targetPorts/0/number").asInt()))
                .allSatisfy(number -> assertThat(number)
                        .isEqualTo(chart.server().at("/ports/0/containerPort").asInt()));
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyVolumeIsMountedAndEveryMountHasOne(String scenario) {
        Rendering chart = Chart.render(scenario);
        Set<String> volumes = names(chart.pod().path("volumes"));
        Set<String> mounted = chart.containers().stream()
                .flatMap(container -> container.path("volumeMounts").valueStream())
                .map(mount -> mount.path("name").asString())
                .collect(Collectors.toSet());
        assertThat(mounted).isEqualTo(volumes);
        assertThat(chart.pod()
                        .path("volumes")
                        .valueStream()
                        .map(volume -> volume.at("/configMap/name").asString(""))
                        .filter(name -> !name.isEmpty()))
                .hasSize(1)
                .isSubsetOf(
                        chart.all("ConfigMap").map(ChartReferencesTest::name).toList());
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyRouteLeadsToTheApi(String scenario) {
        Rendering chart = Chart.render(scenario);
        JsonNode api = chart.all("Service")
                .filter(service -> service.at("/spec/ports/0/name").asString().equals("http"))
                .findFirst()
                .orElseThrow();
        assertThat(chart.all("Ingress")
                        .flatMap(ingress -> ingress.at("/spec/rules").valueStream())
                        .flatMap(rule -> rule.at("/http/paths").valueStream())
                        .map(path -> path.at("/backend/service")))
                .allSatisfy(backend -> {
                    assertThat(backend.path("name").asString()).isEqualTo(name(api));
                    assertThat(backend.at("/port/name").asString()).isEqualTo("http");
                });
        assertThat(chart.all("HTTPRoute").map(route -> route.at("/spec/rules/0/backendRefs/0")))
                .allSatisfy(backend -> {
                    if (backend.path("kind").asString("Service").equals("InferencePool")) {
                        assertThat(backend.path("name").asString()).isEqualTo(name(chart.only("InferencePool")));
                    } else {
                        assertThat(backend.path("name").asString()).isEqualTo(name(api));
                        assertThat(backend.path("port").asInt())
                                .isEqualTo(api.at("/spec/ports/0/port").asInt());
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void whatScalesScalesTheDeploymentAndNothingElseDoes(String scenario) {
        Rendering chart = Chart.render(scenario);
        JsonNode deployment = chart.only("Deployment");
        List<JsonNode> scalers = Stream.concat(chart.all("HorizontalPodAutoscaler"), chart.all("ScaledObject"))
                .toList();
        assertThat(scalers)
                .allSatisfy(scaler -> assertThat(
                                scaler.at("/spec/scaleTargetRef/name").asString())
                        .isEqualTo(name(deployment)));
        // A number here would be set again with every new version, whatever the autoscaler has found.
        assertThat(deployment.path("spec").has("replicas")).isEqualTo(scalers.isEmpty());
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void theMonitorMeansOneServiceWithThatPort(String scenario) {
        Rendering chart = Chart.render(scenario);
        assertThat(chart.all("ServiceMonitor")).allSatisfy(monitor -> {
            List<JsonNode> meant = chart.all("Service")
                    .filter(service -> service.at("/metadata/labels")
                            .properties()
                            .containsAll(
                                    monitor.at("/spec/selector/matchLabels").properties()))
                    .toList();
            assertThat(meant).hasSize(1);
            assertThat(names(meant.getFirst().at("/spec/ports")))
                    .contains(monitor.at("/spec/endpoints/0/port").asString());
            // KEDA asks for what was scraped by that Service.
            assertThat(chart.all("ScaledObject")
                            .flatMap(scaled -> scaled.at("/spec/triggers").valueStream())
                            .map(trigger -> trigger.at("/metadata/query").asString()))
                    .allSatisfy(query -> assertThat(query)
                            .contains("namespace=\"" + Chart.NAMESPACE + "\"")
                            .contains("service=\"" + name(meant.getFirst()) + "\""));
        });
    }

    private static String name(JsonNode object) {
        return object.at("/metadata/name").asString();
    }

    private static Set<String> names(JsonNode list) {
        return list.valueStream().map(item -> item.path("name").asString()).collect(Collectors.toSet());
    }
}
