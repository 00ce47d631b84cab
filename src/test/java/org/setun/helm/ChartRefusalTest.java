package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.TemplateCommand;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A wrong value is refused before anything reaches a cluster, and the message says which and what is expected. */
final class ChartRefusalTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            replicas=two                      | at '/replicas': got string, want integer
            replicas=-1                       | at '/replicas': minimum: got -1, want 0
            replica=2                         | additional properties 'replica' not allowed
            model.sources=hub                 | at '/model': additional properties 'sources' not allowed
            model.source=disk                 | at '/model/source': value must be one of 'bundled', 'claim', 'hub'
            model.source=claim                | model.claim: expected the name of a PersistentVolumeClaim, since model.source is claim, found none
            model.source=hub                  | model.hub.model: expected OWNER/NAME, since model.source is hub, found none
            model.claim=models                | model.claim: expected none, since model.source is bundled, found models
            model.hub.model=a/b               | model.hub.model: expected none, since model.source is bundled, found a/b
            model.path=sub                    | model.path: expected none, since model.source is bundled, found sub
            model.source=claim,model.claim=c,model.path=a/../../etc | model.path: expected a path within the volume, found a/../../etc
            model.source=claim,model.claim=c,model.path=/etc        | at '/model/path': '/etc' does not match pattern
            model.source=hub,model.hub.model=name                   | at '/model/hub/model': 'name' does not match pattern
            model.hub.size=much               | at '/model/hub/size': 'much' does not match pattern
            image.tag=latest                  | image.tag: expected a version, which is the same tomorrow, found latest
            image.digest=sha256:12            | at '/image/digest': 'sha256:12' does not match pattern
            image.pullPolicy=Sometimes        | at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'
            autoscaling.type=both             | at '/autoscaling/type': value must be one of 'none', 'hpa', 'keda'
            autoscaling.enabled=true          | at '/autoscaling': additional properties 'enabled' not allowed
            autoscaling.type=keda             | autoscaling.prometheusUrl: expected the address of a Prometheus, since autoscaling.type is keda, found none
            autoscaling.minReplicas=9         | autoscaling.maxReplicas: expected at least autoscaling.minReplicas, 9, found 4
            autoscaling.minReplicas=0         | at '/autoscaling/minReplicas': minimum: got 0, want 1
            podDisruptionBudget.maxUnavailable=0 | at '/podDisruptionBudget/maxUnavailable': minimum: got 0, want 1
            shutdown.drainSeconds=30s         | at '/shutdown/drainSeconds': got string, want integer
            probes.startupSeconds=0           | at '/probes/startupSeconds': minimum: got 0, want 1
            cpuFeatures.required=AVX512VNNI   | at '/cpuFeatures/required': got string, want array
            cpuFeatures.required[0]=avx2      | at '/cpuFeatures/required/0': 'avx2' does not match pattern
            runAsUser=0                       | at '/runAsUser': minimum: got 0, want 1
            service.port=70000                | at '/service/port': maximum: got 70,000, want 65,535
            management.port=80                | at '/management/port': minimum: got 80, want 1,024
            ingress.enabled=true              | ingress.hosts: expected at least one host, since ingress.enabled is true, found none
            httpRoute.enabled=true            | httpRoute.parentRefs: expected at least one Gateway, since httpRoute.enabled is true, found none
            inferencePool.enabled=true        | inferencePool.endpointPicker: expected the name of the endpoint picker's Service, since inferencePool.enabled is true, found none
            inferencePool.failureMode=Open    | at '/inferencePool/failureMode': value must be one of 'FailClose', 'FailOpen'
            resources.limit.cpu=2             | at '/resources': additional properties 'limit' not allowed
            config.max-sequences=4            | config: expected full names of properties, such as setun.engine.max-sequences, found max-sequences
            config.engine.threads.max=4       | at '/config/engine': got object, want boolean or number or string or array
            jvm.maxHeap=1Gi                   | at '/jvm/maxHeap': '1Gi' does not match pattern
            extraEnv[0].name=JDK_JAVA_OPTIONS | extraEnv: expected no JDK_JAVA_OPTIONS, which jvm.maxHeap and jvm.flags make, found one
            extraEnv[0].value=x               | at '/extraEnv/0': missing property 'name'
            """)
    void aWrongValueIsRefused(String values, String message) {
        assertThatThrownBy(() -> Chart.render("default", command -> set(command, values)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "setun.engine.drain-timeout, 1s",
        "setun.engine.drainTimeout, 1s",
        "setun.engine.threads, 3",
        "setun.model.path, /tmp",
        "setun.model.name, tales",
        "setun.redis.url, redis://redis",
        "setun.server.api-key-file, /tmp/keys",
        "setun.metrics.vllm-names, false",
        "server.port, 80",
        "server.shutdown, immediate",
        "management.server.port, 80",
        "management.endpoints.web.base-path, /",
        "management.endpoint.health.probes.enabled, false",
        "spring.lifecycle.timeout-per-shutdown-phase, 1s"
    })
    void aPropertyThatAnotherValueStandsForIsRefused(String property, String value) {
        assertThatThrownBy(() -> Chart.render(
                        "default", command -> command.set("config." + property.replace(".", "\\."), value)))
                .hasMessageContaining("config: expected properties that no other value stands for, found " + property);
    }

    @Test
    void twoNodeAffinitiesAreRefused() {
        assertThatThrownBy(() -> Chart.render("claim", command -> command.set("affinity.nodeAffinity.x", "y")))
                .hasMessageContaining("affinity.nodeAffinity: expected none, since cpuFeatures makes one");
    }

    @Test
    void anOlderKubernetesIsRefused() {
        assertThatThrownBy(() -> Chart.render("default", command -> command.withKubeVersion("1.29.3")))
                .hasMessageContaining(">=1.30.0-0");
    }

    @Test
    void zeroReplicasAreAsMany() {
        assertThat(Chart.render("default", command -> command.set("replicas", 0))
                        .only("Deployment")
                        .at("/spec/replicas")
                        .asInt())
                .isZero();
    }

    private static TemplateCommand set(TemplateCommand command, String values) {
        for (String value : values.split(",", -1)) {
            int equals = value.indexOf('=');
            command.set(value.substring(0, equals), value.substring(equals + 1));
        }
        return command;
    }
}
