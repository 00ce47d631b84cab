package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.setun.engine.EngineRejectedException;
import org.setun.generation.Embedder;
import org.setun.generation.EmbeddingEvent;
import org.setun.generation.EmbeddingRequest;
import org.setun.generation.InvalidPromptException;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/** The embeddings of one HTTP request, on their way. */
final class Embeddings {

    private final AtomicReferenceArray<EmbeddingEvent.Embedded> embedded;
    private final AtomicInteger missing;
    private final Sinks.One<List<EmbeddingEvent.Embedded>> all = Sinks.one();

    private Embeddings(int count) {
        this.embedded = new AtomicReferenceArray<>(count);
        this.missing = new AtomicInteger(count);
    }

    /**
     * Starts all embeddings of a call, or none. Tokenises, so it must not run on an event loop. Those that run when the request ends
     * are cancelled.
     *
     * @throws ApiException if an input cannot be embedded, or the caller has too few tokens left
     */
    static Mono<List<EmbeddingEvent.Embedded>> start(
            Embedder embedder, EmbeddingCall call, CallerLimits limits, RequestEnd end) {
        List<EmbeddingRequest> requests = call.requests(limits.name());
        Embeddings embeddings = new Embeddings(requests.size());
        try (TokenReservation tokens = limits.reserveEmbeddings(requests)) {
            for (int i = 0; i < requests.size(); i++) {
                int index = i;
                end.run(tokens.start(embedder, requests.get(i), event -> embeddings.accept(index, event))::cancel);
            }
        } catch (InvalidPromptException e) {
            throw ApiException.badRequest("input", e.code(), Objects.requireNonNull(e.getMessage()));
        } catch (EngineRejectedException e) {
            throw new CompletionException(e);
        }
        return embeddings.all.asMono().publishOn(Schedulers.parallel());
    }

    private void accept(int index, EmbeddingEvent event) {
        switch (event) {
            case EmbeddingEvent.Embedded vector -> {
                embedded.set(index, vector);
                if (missing.decrementAndGet() == 0) {
                    List<EmbeddingEvent.Embedded> inOrder = new ArrayList<>();
                    for (int i = 0; i < embedded.length(); i++) {
                        inOrder.add(embedded.get(i));
                    }
                    all.tryEmitValue(inOrder);
                }
            }
            case EmbeddingEvent.Failed failed -> all.tryEmitError(failed.cause());
        }
    }
}
