package org.setun.generation;

import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.engine.Activity;
import org.setun.engine.Engine;
import org.setun.engine.EngineEvent;
import org.setun.engine.FinishReason;
import org.setun.engine.RequestReport;
import org.setun.engine.TokenRequest;

/**
 * One request under way: turns its tokens into text up to the first stop string.
 *
 * <p>Works on the engine thread, which calls it with each token: decoding one takes about a microsecond, far less than
 * handing it to another thread would. The owner's consumer runs there too and must return at once, as {@link Generator}
 * says; one that has to wait for a slow reader queues what it gets.
 */
final class Generation implements Generator.Handle {

    private final TokenRequest request;
    private final AnswerText text;
    private final GenerationObserver observer;
    private final Consumer<GenerationEvent> events;

    private @Nullable PromptReport prompt;
    private int completionTokens;
    private double logProbability;
    private volatile @Nullable FinishReason requestedEnd;
    private volatile Engine.@Nullable Handle engineRequest;
    private boolean ended;

    /** Creates a generation; {@code prompt} is null if the request's owner does not want to be told of it. */
    Generation(
            TokenRequest request,
            @Nullable PromptReport prompt,
            AnswerText text,
            GenerationObserver observer,
            Consumer<GenerationEvent> events) {
        this.request = request;
        this.prompt = prompt;
        this.text = text;
        this.observer = observer;
        this.events = events;
    }

    /** Takes the engine's handle, which is there only after the first events may have come. */
    void submitted(Engine.Handle handle) {
        engineRequest = handle;
        passOnRequestedEnd();
    }

    @Override
    public void cancel() {
        requestEnd(FinishReason.CANCELLED);
    }

    /** Handles the engine's next event. Engine thread. */
    void handle(EngineEvent event) {
        if (ended) {
            return;
        }
        switch (event) {
            case EngineEvent.PromptScores scores ->
                Objects.requireNonNull(prompt).add(scores);
            case EngineEvent.Embedding embedding -> throw new IllegalStateException("nobody asked for an embedding");
            case EngineEvent.Token token -> handleToken(token);
            case EngineEvent.Finished finished -> {
                if (finished.reason() != FinishReason.CANCELLED) {
                    tellPrompt();
                }
                emit(text.end());
                finish(finished.reason(), finished.tokens().cached(), finished.activity(), finished.report());
            }
            case EngineEvent.Failed failed -> fail(failed.cause());
        }
    }

    private void tellPrompt() {
        if (prompt != null) {
            events.accept(prompt.event());
            prompt = null;
        }
    }

    private void handleToken(EngineEvent.Token token) {
        if (text.isStopped()) {
            // Made in the step that ran when the stop string was found.
            observer.tokenDiscarded();
            return;
        }
        tellPrompt();
        completionTokens++;
        if (token.score() != null) {
            logProbability += token.score().token().logProbability();
        }
        if (request.ending().stopTokens().contains(token.id())) {
            return;
        }
        emit(text.append(token.id(), token.score()));
        if (text.isStopped()) {
            requestEnd(FinishReason.STOP);
        }
    }

    private void emit(GenerationEvent.Text more) {
        if (!more.isEmpty()) {
            events.accept(more);
        }
    }

    private void finish(
            FinishReason reason, int cachedTokens, @Nullable Activity activity, @Nullable RequestReport report) {
        ended = true;
        Usage usage = new Usage(request.prompt().length, cachedTokens, completionTokens);
        events.accept(new GenerationEvent.Finished(
                text.isStopped() ? FinishReason.STOP : reason, usage, meanLogProbability(), activity, report));
    }

    private void fail(Throwable cause) {
        if (text.isStopped()) {
            // The answer is complete, whatever happened to the step after it.
            finish(FinishReason.STOP, 0, null, null);
            return;
        }
        ended = true;
        events.accept(new GenerationEvent.Failed(cause));
    }

    private OptionalDouble meanLogProbability() {
        boolean scored = request.details().scores().isPresent() && completionTokens > 0;
        return scored ? OptionalDouble.of(logProbability / completionTokens) : OptionalDouble.empty();
    }

    private void requestEnd(FinishReason reason) {
        if (requestedEnd == null) {
            requestedEnd = reason;
        }
        passOnRequestedEnd();
    }

    /**
     * Tells the engine that the request shall end, as soon as there is both a wish and a handle. Either may come first and
     * on different threads: each side writes its own field before it reads the other's, so one of them sees both.
     */
    private void passOnRequestedEnd() {
        Engine.Handle handle = engineRequest;
        FinishReason reason = requestedEnd;
        if (handle == null || reason == null) {
            return;
        }
        switch (reason) {
            case STOP -> handle.stop();
            case CANCELLED -> handle.cancel();
            case LENGTH, TIMEOUT -> throw new IllegalStateException("only the engine ends a request by " + reason);
        }
    }
}
