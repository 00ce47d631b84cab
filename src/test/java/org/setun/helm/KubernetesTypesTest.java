package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What a cluster would refuse, the tests of the chart refuse, too: each of these objects is right but for one thing. */
final class KubernetesTypesTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            default        | Deployment    | /spec/replica                                          | 1          | replica
            default        | Deployment    | /spec/replicas                                         | two        | two
            default        | Deployment    | /spec/replicas                                         | -1         | minimum
            default        | Deployment    | /spec/selector                                         | null       | selector
            default        | Deployment    | /spec/template/spec/container                          | []         | container
            default        | Deployment    | /spec/template/spec/containers                         | {}         | containers
            default        | Deployment    | /spec/template/spec/containers/0/name                  | null       | name
            default        | Deployment    | /spec/template/spec/containers/0/image                 | setun      | image
            default        | Deployment    | /spec/template/spec/containers/0/imagePullPolicy       | Sometimes  | imagePullPolicy
            default        | Deployment    | /spec/template/spec/containers/0/resources/limits/cpu  | two        | cpu
            default        | Deployment    | /spec/template/spec/containers/0/resources/limit       | {}         | limit
            default        | Deployment    | /spec/template/spec/containers/0/livenessProbe/httpGet/port        | null  | port
            default        | Deployment    | /spec/template/spec/containers/0/livenessProbe/httpGet/paths       | /     | paths
            default        | Deployment    | /spec/template/spec/containers/0/livenessProbe/periodSeconds       | 5s    | 5s
            default        | Deployment    | /spec/template/spec/containers/0/lifecycle/preStop/sleep/second    | 5     | second
            default        | Deployment    | /spec/template/spec/containers/0/securityContext/readOnlyRoot      | true  | readOnlyRoot
            default        | Deployment    | /spec/template/spec/containers/0/env/2/valueFrom/resourceFieldRef/resource | null | resource
            default        | Deployment    | /spec/template/spec/topologySpreadConstraints/0/whenUnsatisfiable  | Never | whenUnsatisfiable
            default        | Deployment    | /spec/strategy/rollingUpdate/maxSurge                  | 0          | not
            default        | Service       | /spec/ports/0/port                                     | 0          | minimum
            default        | Service       | /spec/ports/0/port                                     | null       | port
            default        | Service       | /spec/clusterip                                        | None       | clusterip
            default        | ConfigMap     | /data/number                                           | 1          | number
            default        | ConfigMap     | /spec                                                  | {}         | spec
            default        | PodDisruptionBudget | /spec/maxUnavailable                             | some       | maxUnavailable
            default        | PodDisruptionBudget | /apiVersion                                      | policy/v1beta1 | policy/v1beta1
            hpa            | HorizontalPodAutoscaler | /spec/metrics/0/pods/metric/name             | null       | name
            hpa            | HorizontalPodAutoscaler | /spec/metrics/0/pods/target/type             | Average    | type
            hpa            | HorizontalPodAutoscaler | /spec/scaleTargetRef/kind                    | null       | kind
            hpa            | HorizontalPodAutoscaler | /spec/behavior/scaleDown/policies/0/seconds  | 1          | seconds
            hpa            | ServiceMonitor | /spec/endpoints/0/intervall                           | 1s         | intervall
            hpa            | ServiceMonitor | /spec/endpoints/0/interval                            | often      | interval
            hpa            | ServiceMonitor | /spec/selector                                        | null       | selector
            keda           | ScaledObject  | /spec/triggers/0/metadata/threshold                    | 4          | threshold
            keda           | ScaledObject  | /spec/triggers/0/metadata/query                        | null       | query
            keda           | ScaledObject  | /spec/scaleTargetRef/name                              | null       | name
            keda           | ScaledObject  | /metadata/label                                        | {}         | label
            ingress        | Ingress       | /spec/rules/0/http/paths/0/pathType                    | null       | pathType
            ingress        | Ingress       | /spec/rules/0/http/paths/0/backend/serviceName         | x          | serviceName
            gateway        | HTTPRoute     | /spec/rules/0/backendRefs/0/port                       | null       | port
            gateway        | HTTPRoute     | /spec/rules/0/backendRefs/0/name                       | null       | name
            gateway        | HTTPRoute     | /spec/rules/0/timeouts/request                         | forever    | request
            gateway        | HTTPRoute     | /spec/rule                                             | []         | rule
            inference-pool | InferencePool | /spec/endpointPickerRef/port                           | null       | port
            inference-pool | InferencePool | /spec/extensionRef                                     | {}         | extensionRef
            inference-pool | InferencePool | /spec/targetPorts                                      | []         | targetPorts
            inference-pool | InferencePool | /spec/endpointPickerRef/failureMode                    | Open       | failureMode
            inference-pool | NetworkPolicy | /spec/policyTypes/0                                    | Inbound    | policyTypes
            inference-pool | NetworkPolicy | /spec/podSelector                                      | null       | podSelector
            monitoring     | PrometheusRule | /spec/groups/0/name                                   | null       | name
            monitoring     | PrometheusRule | /spec/groups/0/rules/0/expression                     | x          | expression
            """)
    void aWrongFieldIsRefused(String scenario, String kind, String pointer, String value, String named) {
        JsonNode object = Chart.render(scenario).all(kind).findFirst().orElseThrow();
        assertThat(KubernetesTypes.problems(object)).isEmpty();
        JsonNode changed = object.deepCopy();
        change(changed, pointer, value);
        assertThat(KubernetesTypes.problems(changed))
                .anySatisfy(problem -> assertThat(problem).contains(named));
    }

    private static void change(JsonNode object, String pointer, String value) {
        int end = pointer.lastIndexOf('/');
        JsonNode parent = object.at(pointer.substring(0, end));
        String field = pointer.substring(end + 1);
        JsonNode replacement = value.equals("{}") || value.equals("[]")
                ? JsonMapper.shared().readTree(value)
                : JsonMapper.shared().valueToTree(new org.yaml.snakeyaml.Yaml().<Object>load(value));
        if (parent instanceof ArrayNode array) {
            array.set(Integer.parseInt(field), replacement);
        } else if (replacement.isNull()) {
            assertThat(((ObjectNode) parent).remove(field)).as(pointer).isNotNull();
        } else {
            ((ObjectNode) parent).set(field, replacement);
        }
    }
}
