package org.setun.generation;

/** How a request for an embedding ended. */
public sealed interface EmbeddingEvent {

    /**
     * The text was embedded.
     *
     * @param vector {@code [hidden]}: the mean over the text's tokens of the hidden states that the head would see, of length 1; the
     *     receiver's own
     * @param usage what it took
     */
    record Embedded(float[] vector, Usage usage) implements EmbeddingEvent {}

    /**
     * The request has ended because of a fault of the server, because it was cancelled, or because the server is shutting down.
     *
     * @param cause the fault; an {@link org.setun.engine.EngineRejectedException} if the server is shutting down, a {@link
     *     java.util.concurrent.TimeoutException} if the request's time was over
     */
    record Failed(Throwable cause) implements EmbeddingEvent {}
}
