package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.TextToken;
import org.setun.generation.Usage;

/** A generator whose answers a test writes, by a script or event by event. */
final class ScriptedGenerator implements Generator {

    /** What happens to a request when it starts. */
    interface Script {
        void start(Running running) throws EngineRejectedException, InvalidPromptException;
    }

    /** A request that a test answers. */
    record Running(
            GenerationRequest request,
            Consumer<GenerationEvent> events,
            CompletableFuture<Void> cancelled,
            Thread startedOn) {

        void text(String text) {
            events.accept(new GenerationEvent.Text(text));
        }

        /** Gives a text with its tokens. */
        void text(String text, TextToken... tokens) {
            events.accept(new GenerationEvent.Text(text, List.of(tokens)));
        }

        void finish(FinishReason reason, int promptTokens, int completionTokens) {
            events.accept(new GenerationEvent.Finished(reason, new Usage(promptTokens, completionTokens)));
        }

        /** Ends an answer whose tokens had this mean log probability. */
        void finish(int promptTokens, int completionTokens, double meanLogProbability) {
            events.accept(new GenerationEvent.Finished(
                    FinishReason.STOP,
                    new Usage(promptTokens, completionTokens),
                    OptionalDouble.of(meanLogProbability)));
        }

        void fail(Throwable cause) {
            events.accept(new GenerationEvent.Failed(cause));
        }

        void awaitCancelled() throws Exception {
            cancelled.get(10, TimeUnit.SECONDS);
        }
    }

    private final BlockingQueue<Running> started = new LinkedBlockingQueue<>();
    private volatile @Nullable Script script;

    /** Answers every request from now on with these texts, all ready at once. */
    void answer(String... texts) {
        script(running -> {
            List.of(texts).forEach(running::text);
            running.finish(FinishReason.STOP, 9, texts.length);
        });
    }

    /** Answers every request from now on by {@code next}. */
    void script(Script next) {
        script = next;
    }

    /** Leaves the answers to whoever calls {@link #next}. */
    void byHand() {
        script = null;
        started.clear();
    }

    /** Returns the next request that was started, and waits for it. */
    Running next() throws InterruptedException {
        Running running = started.poll(10, TimeUnit.SECONDS);
        assertThat(running).as("a request that reached the generator").isNotNull();
        return running;
    }

    /** Returns whether no request has been started that {@link #next} has not returned. */
    boolean startedNothing() {
        return started.isEmpty();
    }

    @Override
    public Handle start(GenerationRequest request, Consumer<GenerationEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        Running running = new Running(request, events, cancelled, Thread.currentThread());
        Script current = script;
        if (current != null) {
            current.start(running);
        }
        started.add(running);
        return () -> cancelled.complete(null);
    }
}
