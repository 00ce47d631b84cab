package org.setun.web;

import org.setun.generation.Embedder;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** The endpoint that turns texts into vectors. */
@RestController
final class EmbeddingsController {

    private final JsonCalls calls;
    private final Embedder embedder;
    private final ServedModel model;

    EmbeddingsController(JsonCalls calls, Embedder embedder, ServedModel model) {
        this.calls = calls;
        this.embedder = embedder;
        this.model = model;
    }

    @PostMapping("/v1/embeddings")
    Mono<Void> embeddings(ServerWebExchange exchange) {
        CallerLimits limits = RateLimitFilter.limits(exchange);
        return calls.answer(exchange, "embeddings", (fields, end) -> {
            EmbeddingCall call = EmbeddingCall.read(fields, model);
            return Embeddings.start(embedder, call, limits, end)
                    .map(embedded -> EmbeddingAnswer.of(model.name(), call.base64(), embedded));
        });
    }
}
