package org.setun.engine;

/** What the engine tells the owner of a request, in order: any number of tokens, then one end. */
public sealed interface EngineEvent {

    /**
     * A generated token.
     *
     * @param id the token id
     */
    record Token(int id) implements EngineEvent {}

    /**
     * The request has ended as it should.
     *
     * @param reason why
     * @param promptTokens the prompt's length
     * @param completionTokens how many tokens were generated, a final stop token included
     */
    record Finished(FinishReason reason, int promptTokens, int completionTokens) implements EngineEvent {}

    /**
     * The request has ended because of a fault in the engine or in the request's consumer, or because the engine was
     * closed before it could finish.
     *
     * @param cause the fault; an {@link EngineRejectedException} if the engine was closed
     */
    record Failed(Throwable cause) implements EngineEvent {}
}
