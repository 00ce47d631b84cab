package org.setun.web;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/** Lets in who has a key, if there are any. What a client sends for a key goes into no log and no answer. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 2)
final class ApiKeyFilter implements WebFilter {

    private static final Logger log = LoggerFactory.getLogger(ApiKeyFilter.class);

    private static final String SCHEME = "Bearer ";

    // Azure's and Anthropic's names for it, which their clients send to servers of this kind, too.
    private static final List<String> KEY_HEADERS = List.of("api-key", "x-api-key");

    private static final String CALLER = ApiKeyFilter.class.getName();

    private final ApiKeys keys;
    private final ApiPaths paths;

    ApiKeyFilter(ApiKeys keys, ApiPaths paths) {
        this.keys = keys;
        this.paths = paths;
        if (!keys.isEmpty()) {
            log.info("The API takes the keys {}", String.join(", ", keys.names()));
        }
    }

    /** Returns the name of the key that {@code exchange} came with; empty if no keys are needed. */
    static Optional<String> caller(ServerWebExchange exchange) {
        return Optional.ofNullable(exchange.getAttribute(CALLER));
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        if (keys.isEmpty() || !paths.isProtected(exchange)) {
            return chain.filter(exchange);
        }
        String key = key(exchange.getRequest().getHeaders());
        if (key == null) {
            return Mono.error(ApiException.unauthorized(
                    "expected an API key in the header Authorization, as 'Bearer KEY', found none",
                    "Bearer realm=\"setun\""));
        }
        Optional<String> caller = keys.name(key);
        if (caller.isEmpty()) {
            return Mono.error(ApiException.unauthorized(
                    "expected one of this server's API keys, found another",
                    "Bearer realm=\"setun\", error=\"invalid_token\""));
        }
        exchange.getAttributes().put(CALLER, caller.get());
        return chain.filter(exchange);
    }

    private static @Nullable String key(HttpHeaders headers) {
        String authorization = headers.getFirst(HttpHeaders.AUTHORIZATION);
        if (authorization != null && authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return authorization.substring(SCHEME.length()).strip();
        }
        return KEY_HEADERS.stream()
                .flatMap(name -> Optional.ofNullable(headers.getFirst(name)).stream())
                .findFirst()
                .orElse(null);
    }
}
