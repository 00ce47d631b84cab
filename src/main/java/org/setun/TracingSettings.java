package org.setun;

import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.Environment;

/**
 * Where traces go, by the names that Spring Boot and OpenTelemetry have for it.
 *
 * @param endpoint where OTLP is taken over HTTP, with its path
 * @param headers what is sent along, such as a token
 * @param timeout how long one sending may take
 * @param probability the fraction of requests that are traced, from 0 to 1; a caller's own decision comes first
 * @param resource what the server is called, in OpenTelemetry's attributes
 */
record TracingSettings(
        String endpoint,
        Map<String, String> headers,
        Duration timeout,
        double probability,
        Map<String, String> resource) {

    private static final String OTLP = "management.opentelemetry.tracing.export.otlp.";
    private static final String PROBABILITY = "management.tracing.sampling.probability";
    private static final String SERVICE_NAME = "service.name";

    TracingSettings {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException(PROBABILITY + ": expected 0 to 1, found " + probability);
        }
    }

    /**
     * Reads the settings; empty if there is no endpoint, or {@code management.tracing.export.enabled} is false.
     *
     * @throws IllegalArgumentException if one is wrong
     */
    static Optional<TracingSettings> of(Environment environment) {
        String endpoint = endpoint(environment);
        if (endpoint == null || !environment.getProperty("management.tracing.export.enabled", Boolean.class, true)) {
            return Optional.empty();
        }
        Map<String, String> resource = new HashMap<>();
        resource.put(SERVICE_NAME, environment.getProperty("spring.application.name", "setun"));
        resource.putAll(map(environment, "management.opentelemetry.resource-attributes"));
        Optional.ofNullable(given(environment, "OTEL_SERVICE_NAME"))
                .ifPresent(name -> resource.put(SERVICE_NAME, name));
        return Optional.of(new TracingSettings(
                endpoint,
                map(environment, OTLP + "headers"),
                environment.getProperty(OTLP + "timeout", Duration.class, Duration.ofSeconds(10)),
                environment.getProperty(PROBABILITY, Double.class, 1.0),
                resource));
    }

    private static @Nullable String endpoint(Environment environment) {
        for (String name : new String[] {OTLP + "endpoint", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}) {
            String endpoint = given(environment, name);
            if (endpoint != null) {
                return checked(name, endpoint);
            }
        }
        // OpenTelemetry's variable for all that is sent, to which the path of traces is added.
        String base = given(environment, "OTEL_EXPORTER_OTLP_ENDPOINT");
        return base == null
                ? null
                : checked("OTEL_EXPORTER_OTLP_ENDPOINT", base.replaceFirst("/*$", "") + "/v1/traces");
    }

    private static String checked(String name, String endpoint) {
        if (!endpoint.matches("https?://[^/\\s]+(/\\S*)?")) {
            throw new IllegalArgumentException(
                    name + ": expected a URL such as http://localhost:4318/v1/traces, found '" + endpoint + "'");
        }
        return URI.create(endpoint).toString();
    }

    private static @Nullable String given(Environment environment, String name) {
        String value = environment.getProperty(name);
        return value == null || value.isBlank() ? null : value;
    }

    private static Map<String, String> map(Environment environment, String name) {
        return Binder.get(environment)
                .bind(name, Bindable.mapOf(String.class, String.class))
                .orElse(Map.of());
    }
}
