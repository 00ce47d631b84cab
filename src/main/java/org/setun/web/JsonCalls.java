package org.setun.web;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * The way of a request that has one JSON object as its answer: bytes, checked fields, answer. Reading is done on {@link
 * RequestThreads}, since rendering and tokenising can take long.
 */
@Component
final class JsonCalls {

    /** What an endpoint does. */
    interface Call {

        /** Reads the body's fields and gives the answer, at once or later; registers what is to be undone when the request ends. */
        Mono<Object> answer(JsonFields fields, RequestEnd end);
    }

    private final RequestObserver observer;
    private final Executor requestThreads;
    private final BodyReader bodies;

    JsonCalls(RequestObserver observer, RequestThreads requestThreads, ApiSettings settings) {
        this.observer = observer;
        this.requestThreads = requestThreads;
        this.bodies = new BodyReader(settings.maxBodySize());
    }

    /**
     * Answers a request.
     *
     * @param label the endpoint's name in metrics
     * @param call runs on a request thread
     */
    Mono<Void> answer(ServerWebExchange exchange, String label, Call call) {
        RequestEnd end = new RequestEnd();
        RequestTrack track = RequestTrack.begin(observer, label, exchange);
        ServerHttpResponse response = exchange.getResponse();
        return bodies.read(exchange.getRequest())
                .flatMap(body -> Mono.fromFuture(
                        () -> CompletableFuture.supplyAsync(() -> read(body, response, call, end), requestThreads),
                        true))
                .flatMap(answer -> answer)
                .flatMap(answer -> {
                    track.answered();
                    return write(response, WireJson.write(answer));
                })
                .onErrorMap(failure -> !Failures.isDisconnect(failure), track::failed)
                .doFinally(signal -> {
                    end.ended();
                    track.ended();
                });
    }

    private static Mono<Object> read(byte[] body, ServerHttpResponse response, Call call, RequestEnd end) {
        JsonFields fields = WireJson.readObject(body);
        Mono<Object> answer = call.answer(fields, end);
        Warnings.add(response, fields.unread());
        return answer;
    }

    private static Mono<Void> write(ServerHttpResponse response, byte[] json) {
        response.getHeaders().setContentType(MediaType.APPLICATION_JSON);
        response.getHeaders().setContentLength(json.length);
        return response.writeWith(
                Mono.fromSupplier(() -> response.bufferFactory().wrap(json)));
    }
}
