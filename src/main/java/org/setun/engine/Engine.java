package org.setun.engine;

import java.time.Duration;
import java.util.function.Consumer;
import org.setun.model.Model;

/**
 * Runs many sequences at once, step by step, on one thread of its own. All methods may be called from any thread.
 *
 * <p>The model is the caller's, who closes it after the engine.
 */
public final class Engine implements AutoCloseable {

    /** A submitted request. All methods may be called from any thread, and have no effect once the request has ended. */
    public interface Handle {

        /** Ends the request before its next step, with {@link FinishReason#CANCELLED}: whoever wanted the answer is gone. */
        void cancel();

        /** Ends the request before its next step, with {@link FinishReason#STOP}: the answer is complete. */
        void stop();
    }

    private final int vocabSize;
    private final EngineSettings settings;

    /** Starts an engine. */
    public Engine(Model model, EngineSettings settings, EngineObserver observer) {
        this.vocabSize = model.dimensions().vocabSize();
        this.settings = settings;
    }

    /**
     * Queues a request. {@code events} receives its tokens and then one end, in order, on the engine thread: it must
     * return at once. If it throws, its own request fails and no other. Events may come before this method returns.
     *
     * @throws EngineRejectedException if too many requests wait, or the engine is draining
     * @throws IllegalArgumentException if a token id of the prompt is outside the vocabulary
     */
    public Handle submit(TokenRequest request, Consumer<EngineEvent> events) throws EngineRejectedException {
        if (request.prompt().length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens");
        }
        throw new EngineRejectedException(EngineRejectedException.Reason.DRAINING, Duration.ZERO, "no step loop yet");
    }

    /** Returns the number of token ids that the model knows. */
    public int vocabSize() {
        return vocabSize;
    }

    /** Returns what the engine does now, cheaply. */
    public EngineStatus status() {
        return new EngineStatus(0, 0, settings.maxSequences(), false);
    }

    /** Takes no new requests from now on; those accepted go on. Returns at once. Idempotent. */
    public void drain() {}

    /**
     * Drains, lets accepted requests finish for at most {@link EngineSettings#drainTimeout}, fails the rest with an
     * {@link EngineRejectedException} of reason {@code DRAINING}, ends the thread and frees the sequences' memory.
     * Idempotent.
     */
    @Override
    public void close() {}
}
