package org.setun.generation;

import java.util.function.Consumer;
import org.setun.engine.EngineRejectedException;

/** Turns texts into vectors. Thread-safe; {@link #start} may tokenise, so event loops must not call it. */
public interface Embedder {

    /**
     * Starts a request, which gets one event on a thread that must not be blocked.
     *
     * @throws EngineRejectedException if the engine takes no request now
     * @throws InvalidPromptException if the text cannot be tokenised, is empty or is longer than allowed
     */
    Generator.Handle start(EmbeddingRequest request, Consumer<EmbeddingEvent> events)
            throws EngineRejectedException, InvalidPromptException;
}
