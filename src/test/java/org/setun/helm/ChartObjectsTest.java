package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Every scenario of the chart gives objects that a cluster takes. */
final class ChartObjectsTest {

    static List<String> scenarios() {
        return Chart.scenarios();
    }

    @Test
    void helmFindsNothingToBlame() {
        assertThat(Chart.lint().getMessages())
                .allSatisfy(message -> assertThat(message).startsWith("[INFO]"));
        assertThat(Chart.lint().isFailed()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyObjectIsOfItsType(String scenario) {
        List<String> problems = new ArrayList<>();
        for (JsonNode object : Chart.render(scenario).objects()) {
            KubernetesTypes.problems(object)
                    .forEach(problem -> problems.add(object.path("kind").asString() + ": " + problem));
        }
        assertThat(problems).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyObjectHasANameOfItsOwnTheNamespaceAndTheUsualLabels(String scenario) {
        Set<String> names = new HashSet<>();
        for (JsonNode object : Chart.render(scenario).objects()) {
            JsonNode metadata = object.path("metadata");
            assertThat(names.add(object.path("kind").asString() + metadata.path("name")))
                    .as("%s", metadata)
                    .isTrue();
            assertThat(metadata.path("name").asString()).matches("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
            assertThat(metadata.path("namespace").asString()).isEqualTo(Chart.NAMESPACE);
            assertThat(metadata.path("labels").propertyNames())
                    .contains(
                            "helm.sh/chart",
                            "app.kubernetes.io/name",
                            "app.kubernetes.io/instance",
                            "app.kubernetes.io/version",
                            "app.kubernetes.io/managed-by");
        }
    }

    @Test
    void theScenariosTogetherMakeEveryKindOfObject() {
        Set<String> kinds = new TreeSet<>();
        scenarios().stream()
                .flatMap(scenario -> Chart.render(scenario).objects().stream())
                .forEach(object -> kinds.add(object.path("kind").asString()));
        assertThat(kinds)
                .containsExactly(
                        "ConfigMap",
                        "Deployment",
                        "HTTPRoute",
                        "HorizontalPodAutoscaler",
                        "InferencePool",
                        "Ingress",
                        "NetworkPolicy",
                        "PodDisruptionBudget",
                        "PrometheusRule",
                        "ScaledObject",
                        "Service",
                        "ServiceAccount",
                        "ServiceMonitor");
    }

    @Test
    void longNamesStayNames() {
        Rendering long63 = Chart.render(
                "monitoring", command -> command.withName("r".repeat(53)).set("nameOverride", "n".repeat(63)));
        for (JsonNode object : long63.objects()) {
            assertThat(KubernetesTypes.problems(object)).isEmpty();
            assertThat(object.at("/metadata/name").asString()).hasSizeLessThanOrEqualTo(63);
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void theNotesSayHowToTryIt(String scenario) {
        assertThat(Chart.notes(scenario))
                .contains("rollout status deployment/" + name(scenario))
                .contains("port-forward service/" + name(scenario))
                .contains("/v1/completions")
                .doesNotContain("<no value>", "%!");
    }

    @Test
    void theNotesWarnOfADoorWithoutALock() {
        assertThat(Chart.notes("gateway")).contains("WARNING: whoever reaches it may use it");
        assertThat(Stream.of("default", "ingress", "inference-pool").map(Chart::notes))
                .allSatisfy(notes -> assertThat(notes).doesNotContain("WARNING"));
    }

    private static String name(String scenario) {
        return Chart.render(scenario).only("Deployment").at("/metadata/name").asString();
    }
}
