package org.setun.web;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.setun.engine.EngineRejectedException;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * The way of a request that generates text: bytes, checked call, running generations, answer. Reading and starting are
 * done on {@link RequestThreads}, since both can take long; event loops only move bytes.
 */
@Component
final class GenerationHandler {

    private static final MediaType EVENT_STREAM = MediaType.parseMediaType("text/event-stream; charset=utf-8");

    private final Generator generator;
    private final ServedModel model;
    private final RequestObserver observer;
    private final Executor requestThreads;
    private final BodyReader bodies;
    private final CallReader calls;
    private final Duration keepAliveInterval;

    GenerationHandler(
            Generator generator,
            ServedModel model,
            RequestObserver observer,
            RequestThreads requestThreads,
            ApiSettings settings) {
        this.generator = generator;
        this.model = model;
        this.observer = observer;
        this.requestThreads = requestThreads;
        this.bodies = new BodyReader(settings.maxBodySize());
        this.calls = new CallReader(model);
        this.keepAliveInterval = settings.keepAliveInterval();
    }

    /** Answers a request. Whatever way the exchange ends, its generations have ended or been cancelled then. */
    Mono<Void> handle(ServerWebExchange exchange, Endpoint endpoint) {
        RequestTrack track = RequestTrack.begin(observer, endpoint.label(), exchange);
        Generations generations = new Generations();
        CallerLimits limits = RateLimitFilter.limits(exchange);
        return bodies.read(exchange.getRequest())
                // A future, because unlike a scheduler's task it is not interrupted when the client goes.
                .flatMap(body -> Mono.fromFuture(() -> CompletableFuture.supplyAsync(
                        () -> start(endpoint, body, generations, limits, track), requestThreads)))
                .flatMap(started -> {
                    Warnings.add(exchange.getResponse(), started.call().unknownFields());
                    return started.call().stream()
                            ? stream(exchange.getResponse(), started, generations, track)
                            : whole(exchange.getResponse(), started, generations, track);
                })
                .onErrorMap(failure -> !Failures.isDisconnect(failure), track::failed)
                .doFinally(signal -> {
                    generations.end();
                    track.ended();
                });
    }

    private record Started(GenerationCall call, AnswerHead head) {}

    private Started start(
            Endpoint endpoint, byte[] body, Generations generations, CallerLimits limits, RequestTrack track) {
        GenerationCall call = endpoint.read(calls, WireJson.readObject(body));
        track.read(call);
        AnswerHead head = AnswerHead.next(endpoint.format(call), model.name());
        List<GenerationRequest> requests = call.generations(head.id(), limits.name());
        track.submitting(head.id(), requests);
        int submitted = 0;
        try (TokenReservation tokens = limits.reserve(requests)) {
            submitted = generations.start((request, events) -> tokens.start(generator, request, events), requests);
        } catch (InvalidPromptException e) {
            throw ApiException.badRequest(
                    e.field().orElse(endpoint.promptParam()), e.code(), Objects.requireNonNull(e.getMessage()));
        } catch (EngineRejectedException e) {
            throw new CompletionException(e);
        } finally {
            track.refused(requests.subList(submitted, requests.size()));
        }
        return new Started(call, head);
    }

    private static Mono<Void> whole(
            ServerHttpResponse response, Started started, Generations generations, RequestTrack track) {
        WholeAnswer answer = new WholeAnswer(
                started.head(),
                started.call().prompts().size(),
                started.call().choices(),
                new AnswerTimings(started.call().details().timings(), track::firstText));
        return generations
                .ready()
                .publishOn(Schedulers.parallel())
                .handle((ready, sink) -> {
                    List<Generations.ChoiceEvent> events = ready.drain();
                    track.sent(events);
                    answer.add(events);
                    answer.failure().ifPresent(sink::error);
                    if (answer.isComplete()) {
                        track.answered();
                        ready.end();
                    }
                })
                .then(Mono.defer(() -> {
                    byte[] json = answer.json();
                    response.getHeaders().setContentType(MediaType.APPLICATION_JSON);
                    response.getHeaders().setContentLength(json.length);
                    return response.writeWith(
                            Mono.fromSupplier(() -> response.bufferFactory().wrap(json)));
                }));
    }

    private Mono<Void> stream(
            ServerHttpResponse response, Started started, Generations generations, RequestTrack track) {
        track.streaming();
        GenerationCall call = started.call();
        EventStream stream = new EventStream(
                started.head(),
                call.prompts().size(),
                call.choices().shown(),
                call.includeUsage(),
                new AnswerTimings(call.details().timings(), track::firstText),
                failure -> track.failed(failure).body());
        response.setStatusCode(HttpStatus.OK);
        response.getHeaders().setContentType(EVENT_STREAM);
        response.getHeaders().set(HttpHeaders.CACHE_CONTROL, "no-cache");
        // nginx would gather tokens until its buffer is full.
        response.getHeaders().set("X-Accel-Buffering", "no");
        KeepAlive keepAlive = new KeepAlive(keepAliveInterval, Schedulers.parallel(), System::nanoTime);
        // Each group is flushed, and is filled only when the one before it has left: with all that is ready by then.
        Mono<DataBuffer> opening = Mono.fromSupplier(() -> buffer(response, stream.opening()));
        Flux<Mono<DataBuffer>> groups = generations
                .ready()
                .publishOn(Schedulers.parallel())
                .map(ready -> Mono.fromSupplier(() -> {
                    List<Generations.ChoiceEvent> events = ready.drain();
                    track.sent(events);
                    byte[] bytes = stream.write(events);
                    if (stream.isEnded()) {
                        track.answered();
                        keepAlive.stop();
                        ready.end();
                    }
                    return buffer(response, keepAlive.fill(bytes));
                }));
        return response.writeAndFlushWith(groups.startWith(opening)
                .doOnSubscribe(subscription -> keepAlive.start(generations::wake))
                .doFinally(signal -> keepAlive.stop()));
    }

    private static DataBuffer buffer(ServerHttpResponse response, byte[] bytes) {
        return response.bufferFactory().wrap(bytes);
    }
}
