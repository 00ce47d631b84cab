package org.setun.web;

import java.util.function.Function;
import org.setun.generation.GenerationSettings;
import org.setun.tokenizer.Tokenizer;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** The endpoints that show how texts and conversations become tokens, in the forms of llama-server and of vLLM. */
@RestController
final class TokensController {

    private final JsonCalls calls;
    private final TokenCalls tokens;

    TokensController(JsonCalls calls, Tokenizer tokenizer, ServedModel model, GenerationSettings settings) {
        this.calls = calls;
        this.tokens = new TokenCalls(tokenizer, model, settings.contextLength());
    }

    @PostMapping("/tokenize")
    Mono<Void> tokenize(ServerWebExchange exchange) {
        return answer(exchange, "tokenize", tokens::tokenize);
    }

    @PostMapping("/detokenize")
    Mono<Void> detokenize(ServerWebExchange exchange) {
        return answer(exchange, "detokenize", tokens::detokenize);
    }

    @PostMapping("/apply-template")
    Mono<Void> applyTemplate(ServerWebExchange exchange) {
        return answer(exchange, "apply_template", tokens::applyTemplate);
    }

    private Mono<Void> answer(ServerWebExchange exchange, String label, Function<JsonFields, Object> call) {
        return calls.answer(exchange, label, (fields, end) -> Mono.just(call.apply(fields)));
    }
}
