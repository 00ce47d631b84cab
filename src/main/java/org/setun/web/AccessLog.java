package org.setun.web;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.HandlerMapping;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import org.springframework.web.util.pattern.PathPattern;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

/**
 * Logs each request of the API in one line when it has ended, if that is wanted. Its numbers are fields of the line, for logs in JSON.
 * Nothing of a prompt or an answer is in it, nor of a URL beyond the endpoint that it names.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 1)
final class AccessLog implements WebFilter {

    private static final Logger log = LoggerFactory.getLogger(AccessLog.class);

    private final boolean wanted;
    private final ApiPaths paths;

    AccessLog(ApiSettings settings, ApiPaths paths) {
        this.wanted = settings.accessLog();
        this.paths = paths;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        if (!wanted || !paths.isProtected(exchange)) {
            return chain.filter(exchange);
        }
        ServerHttpResponse response = exchange.getResponse();
        AtomicBoolean failed = new AtomicBoolean();
        AtomicBoolean logged = new AtomicBoolean();
        response.beforeCommit(() -> {
            // What is written after a failure is the error, whose status is known only now.
            if (failed.get() && logged.compareAndSet(false, true)) {
                log(exchange, SignalType.ON_ERROR);
            }
            return Mono.empty();
        });
        return chain.filter(exchange).doOnError(failure -> failed.set(true)).doFinally(signal -> {
            boolean errorFollows = failed.get() && !response.isCommitted();
            if (!errorFollows && logged.compareAndSet(false, true)) {
                log(exchange, signal);
            }
        });
    }

    private static void log(ServerWebExchange exchange, SignalType end) {
        RequestArrival arrival = RequestArrival.of(exchange);
        String method = exchange.getRequest().getMethod().name();
        String endpoint = endpoint(exchange);
        HttpStatusCode status = exchange.getResponse().getStatusCode();
        // Who goes away before the first byte gets none; it is the number by which proxies log that.
        int code = status != null ? status.value() : end == SignalType.CANCEL ? 499 : 200;
        long millis = arrival.elapsed().toMillis();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("request_id", arrival.requestId());
        fields.put("method", method);
        fields.put("endpoint", endpoint);
        fields.put("status", code);
        fields.put("duration_ms", millis);
        ApiKeyFilter.caller(exchange).ifPresent(key -> fields.put("key", key));
        RequestTrack track = RequestTrack.of(exchange).orElse(null);
        String details = track == null ? "" : track.describe(fields::put);
        LoggingEventBuilder line = log.atInfo();
        for (Map.Entry<String, Object> field : fields.entrySet()) {
            line = line.addKeyValue(field.getKey(), field.getValue());
        }
        line.log("{} {} {} in {} ms{} [{}]", method, endpoint, code, millis, details, arrival.requestId());
    }

    private static String endpoint(ServerWebExchange exchange) {
        PathPattern pattern = exchange.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE);
        return pattern == null ? "unknown" : pattern.getPatternString();
    }
}
