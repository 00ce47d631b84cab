package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.convert.DurationStyle;
import tools.jackson.databind.JsonNode;

/** What a pod may do, where it runs, and how it comes and goes. */
final class ChartPodTest {

    static List<String> scenarios() {
        return Chart.scenarios();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void nothingRunsAsRootOrWritesOutsideItsVolumes(String scenario) {
        Rendering chart = Chart.render(scenario);
        JsonNode pod = chart.pod();
        assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
        assertThat(pod.at("/securityContext/seccompProfile/type").asString()).isEqualTo("RuntimeDefault");
        // Where the platform does not choose a user, a number: of a name the kubelet cannot know that it is not root.
        assertThat(pod.at("/securityContext/runAsUser").asInt(1)).isPositive();
        assertThat(pod.path("automountServiceAccountToken").asBoolean()).isFalse();
        assertThat(pod.path("enableServiceLinks").asBoolean()).isFalse();
        assertThat(List.of("hostNetwork", "hostPID", "hostIPC", "hostUsers")).noneMatch(pod::has);
        assertThat(pod.path("volumes").valueStream()).noneMatch(volume -> volume.has("hostPath"));
        assertThat(chart.containers()).isNotEmpty().allSatisfy(container -> {
            JsonNode security = container.path("securityContext");
            assertThat(security.path("runAsNonRoot").asBoolean()).isTrue();
            assertThat(security.path("readOnlyRootFilesystem").asBoolean()).isTrue();
            assertThat(security.path("allowPrivilegeEscalation").asBoolean()).isFalse();
            assertThat(security.at("/capabilities/drop").valueStream().map(JsonNode::asString))
                    .containsExactly("ALL");
            assertThat(security.path("capabilities").has("add")).isFalse();
            assertThat(security.at("/seccompProfile/type").asString()).isEqualTo("RuntimeDefault");
            assertThat(security.has("runAsUser")).isFalse();
            assertThat(container.path("volumeMounts").valueStream())
                    .anyMatch(mount -> mount.path("mountPath").asString().equals("/tmp"));
        });
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void theGracePeriodHoldsAllThatAPodDoesBeforeItGoes(String scenario) {
        Rendering chart = Chart.render(scenario);
        JsonNode settings = Chart.parse(chart.applicationYaml());
        long preStop = chart.server().at("/lifecycle/preStop/sleep/seconds").asLong(0);
        long drain = seconds(settings, "setun.engine.drain-timeout");
        long send = seconds(settings, "spring.lifecycle.timeout-per-shutdown-phase");
        assertThat(chart.pod().path("terminationGracePeriodSeconds").asLong())
                .isGreaterThanOrEqualTo(preStop + drain + send + 5);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void theModelHasTheTimeToLoadThatWasAskedFor(String scenario) {
        JsonNode probe = Chart.render(scenario).server().path("startupProbe");
        int asked = Chart.read(Path.of("ci", scenario + "-values.yaml").toString())
                .at("/probes/startupSeconds")
                .asInt(600);
        int given = probe.path("periodSeconds").asInt()
                * probe.path("failureThreshold").asInt();
        assertThat(given).isBetween(asked, asked + probe.path("periodSeconds").asInt() - 1);
    }

    @Test
    void aNewVersionAnswersBeforeAnOldOneGoes() {
        JsonNode strategy = Chart.render("default").only("Deployment").at("/spec/strategy");
        assertThat(strategy.at("/rollingUpdate/maxUnavailable").asInt()).isZero();
        assertThat(strategy.at("/rollingUpdate/maxSurge").asInt()).isPositive();
    }

    @Test
    void theSelectorOutlivesVersionsAndValues(@TempDir Path next) throws IOException {
        copy(Chart.DIRECTORY, next);
        String chart = Files.readString(next.resolve("Chart.yaml"));
        Files.writeString(next.resolve("Chart.yaml"), chart.replaceAll("(?m)^(version|appVersion): .*$", "$1: 9.9.9"));
        JsonNode today = Chart.render("default").only("Deployment");
        JsonNode tomorrow = Chart.renderAt(
                        next,
                        "default",
                        command -> command.set("podLabels.tier", "fast")
                                .set("image.tag", "9.9.9")
                                .set("management.port", 9090))
                .only("Deployment");
        assertThat(tomorrow.at("/metadata/labels/app.kubernetes.io~1version").asString())
                .isEqualTo("9.9.9");
        assertThat(tomorrow.at("/spec/selector")).isEqualTo(today.at("/spec/selector"));
        assertThat(tomorrow.at("/metadata/name")).isEqualTo(today.at("/metadata/name"));
    }

    @Test
    void otherSettingsRollThePodsAndTheSameDoNot() {
        String before = checksum(Chart.render("default"));
        assertThat(checksum(Chart.render("default", command -> command.set("replicas", 2))))
                .isEqualTo(before);
        assertThat(checksum(
                        Chart.render("default", command -> command.set("config.setun\\.engine\\.max-sequences", 64))))
                .isNotEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({
        "'', '', '', setun:VERSION",
        "registry.example.org/team, '', '', registry.example.org/team/setun:VERSION",
        "'', 1.2.3, '', setun:1.2.3",
        "'', 1.2.3, sha256:DIGEST, setun@sha256:DIGEST"
    })
    void theImageIsPinned(String registry, String tag, String digest, String image) {
        String hash = "0123456789abcdef".repeat(4);
        String version = Chart.read("Chart.yaml").path("appVersion").asString();
        Rendering chart = Chart.render(
                "hub",
                command -> command.set("image.registry", registry)
                        .set("image.tag", tag)
                        .set("image.digest", digest.replace("DIGEST", hash)));
        assertThat(chart.containers().stream()
                        .map(container -> container.path("image").asString()))
                .hasSize(2)
                .containsOnly(image.replace("DIGEST", hash).replace("VERSION", version));
    }

    @ParameterizedTest
    @CsvSource({"default, limits.cpu", "hub, limits.cpu", "hub-claim, ''", "openshift, ''"})
    void threadsFollowTheProcessorsThatThePodHas(String scenario, String resource) {
        assertThat(Rendering.variable(Chart.render(scenario).server(), "SETUN_ENGINE_THREADS")
                        .map(variable -> variable.at("/valueFrom/resourceFieldRef/resource")
                                .asString())
                        .orElse(""))
                .isEqualTo(resource);
    }

    @Test
    void withoutALimitThreadsFollowTheRequest() {
        Rendering chart = Chart.render("default", command -> command.set("resources.limits.cpu", "null"));
        assertThat(Rendering.variable(chart.server(), "SETUN_ENGINE_THREADS")
                        .orElseThrow()
                        .at("/valueFrom/resourceFieldRef/resource")
                        .asString())
                .isEqualTo("requests.cpu");
    }

    @ParameterizedTest
    @CsvSource({
        "1g, '', -Xmx1g",
        "4096m, -Xlog:gc -XX:+UseZGC, -Xmx4096m -Xlog:gc -XX:+UseZGC",
        "'', -Xlog:gc, -Xlog:gc",
        "'', '', ''"
    })
    void theJvmGetsItsHeapAndItsFlags(String maxHeap, String flags, String options) {
        Rendering chart = Chart.render(
                "default", command -> command.set("jvm.maxHeap", maxHeap).set("jvm.flags", flags));
        assertThat(Rendering.variable(chart.server(), "JDK_JAVA_OPTIONS")
                        .map(variable -> variable.path("value").asString())
                        .orElse(""))
                .isEqualTo(options);
    }

    @Test
    void podsGoWhereTheProcessorsKnowTheInstructions() {
        JsonNode affinity = Chart.render("claim").pod().at("/affinity/nodeAffinity");
        JsonNode terms = affinity.at("/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
        // One term: all of its expressions must hold.
        assertThat(terms.size()).isEqualTo(1);
        assertThat(terms.get(0)
                        .path("matchExpressions")
                        .valueStream()
                        .map(expression -> expression.path("key").asString()
                                + expression.path("operator")
                                + expression.path("values")))
                .containsExactly(
                        "feature.node.kubernetes.io/cpu-cpuid.AVX512BW\"In\"[\"true\"]",
                        "feature.node.kubernetes.io/cpu-cpuid.AVX512VNNI\"In\"[\"true\"]");
        assertThat(affinity.path("preferredDuringSchedulingIgnoredDuringExecution")
                        .size())
                .isEqualTo(1);
        assertThat(Chart.render("claim").pod().at("/affinity/podAntiAffinity").isObject())
                .isTrue();
    }

    private static String checksum(Rendering chart) {
        return chart.only("Deployment")
                .at("/spec/template/metadata/annotations/checksum~1config")
                .asString();
    }

    private static long seconds(JsonNode settings, String property) {
        return DurationStyle.detectAndParse(settings.path(property).asString()).toSeconds();
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Files.createDirectories(to.resolve(from.relativize(directory)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, to.resolve(from.relativize(file)));
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
