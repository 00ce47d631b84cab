package org.setun.web;

import org.springframework.core.annotation.Order;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebExceptionHandler;
import reactor.core.publisher.Mono;

/** Answers whatever fails before a response's first byte with OpenAI's error body, and before Spring does it its way. */
@Component
@Order(-10)
final class ApiExceptionHandler implements WebExceptionHandler {

    @Override
    public Mono<Void> handle(ServerWebExchange exchange, Throwable failure) {
        ServerHttpResponse response = exchange.getResponse();
        if (response.isCommitted()) {
            return Mono.error(failure);
        }
        if (Failures.isDisconnect(failure)) {
            // Nobody is there to be told, and Spring would log a fault of the server.
            return Mono.empty();
        }
        ApiException error =
                Failures.describe(failure, RequestArrival.of(exchange).requestId());
        response.setStatusCode(error.status());
        response.getHeaders().putAll(error.headers());
        byte[] body = WireJson.write(error.body());
        response.getHeaders().setContentType(MediaType.APPLICATION_JSON);
        response.getHeaders().setContentLength(body.length);
        return response.writeWith(
                Mono.fromSupplier(() -> response.bufferFactory().wrap(body)));
    }
}
