package org.setun.helm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.networknt.schema.Error;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1Ingress;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceAccount;
import io.kubernetes.client.openapi.models.V2HorizontalPodAutoscaler;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Says what a cluster would not take of an object. Kubernetes' own kinds are checked against the types that its API document
 * describes: unknown fields, missing ones, and wrong types at any depth; those of the Gateway API and the Prometheus operator against
 * the types of their Go sources. What types do not say, short lists of values, forms and dependences, stands in JSON schemas among
 * the test's resources, and there alone for kinds whose types nobody publishes for Java.
 */
final class KubernetesTypes {

    private static final Path SCHEMAS = Path.of("src", "test", "resources", "helm");

    private static final Map<String, Class<?>> CORE = Map.of(
            "apps/v1 Deployment", V1Deployment.class,
            "autoscaling/v2 HorizontalPodAutoscaler", V2HorizontalPodAutoscaler.class,
            "networking.k8s.io/v1 Ingress", V1Ingress.class,
            "networking.k8s.io/v1 NetworkPolicy", V1NetworkPolicy.class,
            "policy/v1 PodDisruptionBudget", V1PodDisruptionBudget.class,
            "v1 ConfigMap", V1ConfigMap.class,
            "v1 Service", V1Service.class,
            "v1 ServiceAccount", V1ServiceAccount.class);

    private static final Map<String, Class<?>> CUSTOM = Map.of(
            "gateway.networking.k8s.io/v1 HTTPRoute", HTTPRoute.class,
            "monitoring.coreos.com/v1 PrometheusRule", PrometheusRule.class,
            "monitoring.coreos.com/v1 ServiceMonitor", ServiceMonitor.class);

    private static final Set<String> ONLY_BY_SCHEMA =
            Set.of("inference.networking.k8s.io/v1 InferencePool", "keda.sh/v1alpha1 ScaledObject");

    private static final Set<String> TOP = Set.of("apiVersion", "kind", "metadata", "spec");

    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    // These types keep what they do not know; here it shall be an error.
                    return false;
                }
            });

    private static final JsonNode CORE_FORMS = Chart.read(SCHEMAS.resolve("core.yaml"));
    private static final JsonNode CUSTOM_FORMS = Chart.read(SCHEMAS.resolve("custom.yaml"));

    private KubernetesTypes() {}

    /** Returns what is wrong with an object; empty if a cluster would take it. */
    static List<String> problems(JsonNode object) {
        String kind = object.path("kind").asString();
        String type = object.path("apiVersion").asString() + " " + kind;
        List<String> problems = new ArrayList<>();
        if (CORE.containsKey(type)) {
            check(() -> checkCore(object, CORE.get(type)), problems);
            problems.addAll(schema(CORE_FORMS, kind, object));
        } else if (CUSTOM.containsKey(type) || ONLY_BY_SCHEMA.contains(type)) {
            check(() -> checkMetadata(object), problems);
            if (CUSTOM.containsKey(type)) {
                check(() -> checkCustom(object, CUSTOM.get(type)), problems);
            }
            problems.addAll(schema(CUSTOM_FORMS, kind, object));
        } else {
            problems.add("there is no such type: " + type);
        }
        return problems;
    }

    private static void checkCore(JsonNode object, Class<?> type) throws ReflectiveOperationException {
        validate(type, object);
        JSON.deserialize(object.toString(), type);
    }

    /** Custom resources have the metadata of all objects, and nothing beside their spec that we would set. */
    private static void checkMetadata(JsonNode object) throws ReflectiveOperationException {
        for (String name : object.propertyNames()) {
            if (!TOP.contains(name)) {
                throw new IllegalArgumentException("there is no such field: " + name);
            }
        }
        validate(V1ObjectMeta.class, object.path("metadata"));
    }

    private static void checkCustom(JsonNode object, Class<?> type) throws JsonProcessingException {
        STRICT.readValue(object.toString(), type);
    }

    private static void validate(Class<?> type, JsonNode object) throws ReflectiveOperationException {
        type.getMethod("validateJsonElement", JsonElement.class)
                .invoke(null, JsonParser.parseString(object.toString()));
    }

    private static List<String> schema(JsonNode forms, String kind, JsonNode object) {
        if (!forms.path("kinds").has(kind)) {
            return List.of("there is no schema of " + kind);
        }
        ObjectNode schema = JsonMapper.shared().createObjectNode();
        schema.set("$defs", forms.path("$defs"));
        schema.setAll((ObjectNode) forms.path("kinds").path(kind));
        return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schema)
                .validate(object)
                .stream()
                .map(Error::toString)
                .toList();
    }

    /** A check that throws what is wrong. */
    private interface Check {
        void run() throws ReflectiveOperationException, JsonProcessingException;
    }

    private static void check(Check check, List<String> problems) {
        try {
            check.run();
        } catch (InvocationTargetException e) {
            problems.add(String.valueOf(e.getCause().getMessage()));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        } catch (JsonProcessingException | RuntimeException e) {
            problems.add(String.valueOf(e.getMessage()));
        }
    }
}
