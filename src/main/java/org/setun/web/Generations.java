package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineRejectedException;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * The generations of one HTTP request, one for each choice, and the events that its client has not been sent yet.
 *
 * <p>The engine adds events and never waits. The reader is told that there are some, and takes all of them at once when
 * it gets to it: tokens that are ready together go out together, and a reader that is slow, or never comes, costs only
 * the memory of its own text, which the context length bounds.
 */
final class Generations {

    /** An event of one choice. */
    record ChoiceEvent(int index, GenerationEvent event) {}

    private final Queue<ChoiceEvent> ready = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean signalled = new AtomicBoolean();
    private final List<Generator.Handle> handles = new ArrayList<>();
    private volatile @Nullable FluxSink<Generations> reader;
    private volatile boolean ended;

    /**
     * Starts all of {@code requests}, or none: if one is refused, those before it are cancelled. Tokenises, so it must
     * not run on an event loop.
     *
     * @return how many were started, which are fewer only if {@link #end} was called meanwhile
     */
    int start(Generator generator, List<GenerationRequest> requests)
            throws EngineRejectedException, InvalidPromptException {
        boolean started = false;
        try {
            int count = 0;
            for (; count < requests.size() && !ended; count++) {
                int index = count;
                add(generator.start(requests.get(index), event -> accept(index, event)));
            }
            started = true;
            return count;
        } finally {
            if (!started) {
                end();
            }
        }
    }

    /**
     * Returns a publisher that says when {@link #drain} has something to give, until {@link #end}. It publishes at most
     * one signal ahead of the next call of {@code drain}, and is for one subscriber.
     */
    Flux<Generations> ready() {
        return Flux.create(sink -> {
            reader = sink;
            wake();
        });
    }

    /** Returns the events that are ready, in order. Only the one reader may call it. */
    List<ChoiceEvent> drain() {
        // Reset first: an event that comes while the queue is emptied then gives one signal too many, never one too
        // few.
        signalled.set(false);
        List<ChoiceEvent> events = new ArrayList<>();
        for (ChoiceEvent event = ready.poll(); event != null; event = ready.poll()) {
            events.add(event);
        }
        return events;
    }

    /** Has the reader call {@link #drain} soon, be there events or not. Idempotent until it does; any thread. */
    void wake() {
        FluxSink<Generations> sink = reader;
        if (sink != null && signalled.compareAndSet(false, true)) {
            sink.next(this);
        }
    }

    /**
     * Ends the reader's signals and cancels what still runs, also what {@link #start} is about to start. Idempotent, any
     * thread.
     */
    void end() {
        ended = true;
        synchronized (handles) {
            handles.forEach(Generator.Handle::cancel);
        }
        FluxSink<Generations> sink = reader;
        if (sink != null) {
            sink.complete();
        }
    }

    private void add(Generator.Handle handle) {
        synchronized (handles) {
            handles.add(handle);
        }
        // The client may have gone while the request was being started, before there was a handle to cancel.
        if (ended) {
            handle.cancel();
        }
    }

    private void accept(int index, GenerationEvent event) {
        ready.add(new ChoiceEvent(index, event instanceof GenerationEvent.Finished end ? ended(end) : event));
        wake();
    }

    /** Returns the end as the client is told it: not every end that is one for the engine makes an answer. */
    private static GenerationEvent ended(GenerationEvent.Finished end) {
        return switch (end.reason()) {
            case STOP, LENGTH -> end;
            // Nobody reads on after cancelling; whoever still waits is told that it was not his doing.
            case CANCELLED -> new GenerationEvent.Failed(new CancellationException("the engine cancelled the request"));
            case TIMEOUT ->
                end.usage().completionTokens() > 0
                        ? end
                        : new GenerationEvent.Failed(
                                new TimeoutException("the request's time was over before its first token was there"));
        };
    }
}
