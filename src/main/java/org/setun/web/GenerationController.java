package org.setun.web;

import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** The endpoints that generate text. */
@RestController
final class GenerationController {

    private final GenerationHandler handler;

    GenerationController(GenerationHandler handler) {
        this.handler = handler;
    }

    @PostMapping("/v1/completions")
    Mono<Void> completions(ServerWebExchange exchange) {
        return handler.handle(exchange, Endpoint.COMPLETIONS);
    }

    @PostMapping("/v1/chat/completions")
    Mono<Void> chatCompletions(ServerWebExchange exchange) {
        return handler.handle(exchange, Endpoint.CHAT_COMPLETIONS);
    }
}
