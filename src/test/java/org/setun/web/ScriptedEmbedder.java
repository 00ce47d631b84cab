package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineRejectedException;
import org.setun.generation.Embedder;
import org.setun.generation.EmbeddingEvent;
import org.setun.generation.EmbeddingRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;

/** An embedder whose answers a test writes. */
final class ScriptedEmbedder implements Embedder {

    /** What happens to a request when it starts. */
    interface Script {
        void start(Running running) throws EngineRejectedException, InvalidPromptException;
    }

    /** A request that a test answers. */
    record Running(EmbeddingRequest request, Consumer<EmbeddingEvent> events, CompletableFuture<Void> cancelled) {

        void awaitCancelled() throws Exception {
            cancelled.get(10, TimeUnit.SECONDS);
        }
    }

    private final BlockingQueue<Running> started = new LinkedBlockingQueue<>();
    private volatile @Nullable Script script;

    /** Answers every request from now on by {@code next}; null leaves them to the caller of {@link #next}. */
    void script(@Nullable Script next) {
        started.clear();
        script = next;
    }

    /** Returns the next request that was started, and waits for it. */
    Running next() throws InterruptedException {
        Running running = started.poll(10, TimeUnit.SECONDS);
        assertThat(running).as("a request that reached the embedder").isNotNull();
        return running;
    }

    @Override
    public Generator.Handle start(EmbeddingRequest request, Consumer<EmbeddingEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        Running running = new Running(request, events, cancelled);
        Script current = script;
        if (current != null) {
            current.start(running);
        }
        started.add(running);
        return () -> cancelled.complete(null);
    }
}
