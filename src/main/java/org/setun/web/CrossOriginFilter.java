package org.setun.web;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.reactive.CorsWebFilter;
import org.springframework.web.cors.reactive.DefaultCorsProcessor;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Lets pages of the origins that the settings name use the API; unless they name some, browsers let none. It comes before
 * the keys, since a browser asks for leave without one.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 1)
final class CrossOriginFilter implements WebFilter {

    private final @Nullable CorsWebFilter cors;
    private final ApiPaths paths;

    CrossOriginFilter(ApiSettings settings, ApiPaths paths) {
        // Null: without origins nothing is to be done.
        this.cors =
                settings.corsAllowedOrigins().isEmpty() ? null : filter(configuration(settings.corsAllowedOrigins()));
        this.paths = paths;
    }

    private static CorsWebFilter filter(CorsConfiguration configuration) {
        return new CorsWebFilter(exchange -> configuration, new DefaultCorsProcessor() {
            @Override
            protected void rejectRequest(ServerHttpResponse response) {
                throw ApiException.http(
                        HttpStatus.FORBIDDEN,
                        "origin_not_allowed",
                        "the header Origin: expected an origin that setun.server.cors-allowed-origins names, and a"
                                + " method of this API, found another");
            }
        });
    }

    private static CorsConfiguration configuration(List<String> origins) {
        CorsConfiguration configuration = new CorsConfiguration();
        configuration.setAllowedOrigins(origins);
        configuration.setAllowedMethods(List.of("GET", "HEAD", "POST", "DELETE"));
        configuration.addAllowedHeader(CorsConfiguration.ALL);
        // What a page could not read otherwise. Its requests carry a key and no cookies, so no credentials are allowed.
        configuration.setExposedHeaders(List.of(
                RequestArrival.HEADER,
                ResponseHeadersFilter.PROCESSING_TIME,
                Warnings.HEADER,
                HttpHeaders.RETRY_AFTER,
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens"));
        configuration.setMaxAge(Duration.ofHours(1));
        return configuration;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return cors == null || paths.isManagement(exchange) ? chain.filter(exchange) : cors.filter(exchange, chain);
    }
}
