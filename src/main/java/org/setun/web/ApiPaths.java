package org.setun.web;

import java.util.List;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.ApplicationContext;
import org.springframework.http.server.PathContainer;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;

/**
 * Says to which requests the API's keys, limits and cross-origin rules apply: all but the few that are named here, so that
 * a new endpoint is protected until somebody decides otherwise. Patterns match as those of the endpoints do.
 */
@Component
final class ApiPaths {

    // What a load balancer probes and a browser loads: they send no key.
    private static final List<PathPattern> OPEN =
            patterns("/", "/index.html", "/favicon.ico", "/docs", "/openapi.json", "/health", "/v1/health", "/info");

    private final ApplicationContext api;
    private final List<PathPattern> management;

    /**
     * Creates the rules.
     *
     * @param api the context of the API's own server; that of a separate management port is another
     * @param managementPath where the management endpoints are if they share the API's port. At the root they cannot be
     *     told from the API, and so are protected like it
     */
    ApiPaths(ApplicationContext api, @Value("${management.endpoints.web.base-path:/actuator}") String managementPath) {
        this.api = api;
        this.management = managementPath.isBlank() || managementPath.equals("/")
                ? List.of()
                : patterns(managementPath, managementPath + "/**");
    }

    /** Returns whether {@code exchange} is one of the management endpoints', which have rules of their own. */
    boolean isManagement(ServerWebExchange exchange) {
        return !api.equals(exchange.getApplicationContext()) || matches(management, exchange);
    }

    /** Returns whether {@code exchange} needs a key, if there are any, and counts against limits. */
    boolean isProtected(ServerWebExchange exchange) {
        return !isManagement(exchange) && !matches(OPEN, exchange);
    }

    private static boolean matches(List<PathPattern> patterns, ServerWebExchange exchange) {
        PathContainer path = exchange.getRequest().getPath().pathWithinApplication();
        return patterns.stream().anyMatch(pattern -> pattern.matches(path));
    }

    private static List<PathPattern> patterns(String... patterns) {
        return List.of(patterns).stream()
                .map(PathPatternParser.defaultInstance::parse)
                .toList();
    }
}
