package org.setun.web;

import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/** Gives every response its request id and the time that went by before its first byte. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class ResponseHeadersFilter implements WebFilter {

    /** OpenAI's header for the time until the response began, in whole milliseconds. */
    static final String PROCESSING_TIME = "openai-processing-ms";

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        RequestArrival arrival = RequestArrival.of(exchange);
        exchange.getResponse().beforeCommit(() -> {
            HttpHeaders headers = exchange.getResponse().getHeaders();
            headers.set(RequestArrival.HEADER, arrival.requestId());
            headers.set(PROCESSING_TIME, Long.toString(arrival.elapsed().toMillis()));
            return Mono.empty();
        });
        return chain.filter(exchange);
    }
}
