package org.setun.generation;

import org.setun.engine.FinishReason;

/** What the generator tells the owner of a request, in order: any number of texts, then one end. */
public sealed interface GenerationEvent {

    /**
     * More of the answer, complete characters only.
     *
     * @param text not empty
     */
    record Text(String text) implements GenerationEvent {}

    /**
     * The request has ended as it should.
     *
     * @param reason why
     * @param usage what it took
     */
    record Finished(FinishReason reason, Usage usage) implements GenerationEvent {}

    /**
     * The request has ended because of a fault of the server or of the request's consumer, or because the server is
     * shutting down.
     *
     * @param cause the fault; an {@link org.setun.engine.EngineRejectedException} if the server is shutting down
     */
    record Failed(Throwable cause) implements GenerationEvent {}
}
