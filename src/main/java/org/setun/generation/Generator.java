package org.setun.generation;

import java.util.function.Consumer;
import org.setun.engine.EngineRejectedException;

/** Continues prompts in text. Thread-safe; {@link #start} may render and tokenise, so event loops must not call it. */
public interface Generator {

    /** A running request. */
    interface Handle {
        /** Asks the engine to end the request before its next step; without effect once it has ended. Any thread. */
        void cancel();
    }

    /**
     * Starts a request. Events come in order on one thread at a time, which must not be blocked.
     *
     * @throws EngineRejectedException if the engine takes no request now
     * @throws InvalidPromptException if the prompt cannot be tokenised, is empty or is longer than allowed
     */
    Handle start(GenerationRequest request, Consumer<GenerationEvent> events)
            throws EngineRejectedException, InvalidPromptException;
}
