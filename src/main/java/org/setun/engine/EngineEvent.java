package org.setun.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.sampling.TokenScore;

/** What the engine tells the owner of a request, in order: of its prompt if asked, then any number of tokens, then one end. */
public sealed interface EngineEvent {

    /**
     * Scores of the prompt's tokens. They come piece by piece, in order and without gaps, from the prompt's second token to its
     * last; where the prompt has one token, none come.
     *
     * @param position where in the prompt the first of them stands, counted from 0
     * @param scores one a token
     */
    record PromptScores(int position, List<TokenScore> scores) implements EngineEvent {

        public PromptScores {
            scores = List.copyOf(scores);
        }
    }

    /**
     * The mean of the prompt's final hidden states, after the final norm and before the head.
     *
     * @param mean {@code [hidden]}; the receiver's own
     */
    record Embedding(float[] mean) implements EngineEvent {}

    /**
     * A generated token.
     *
     * @param id the token id
     * @param score how probable it was; null if nobody asked
     */
    record Token(int id, @Nullable TokenScore score) implements EngineEvent {}

    /**
     * The request has ended as it should.
     *
     * @param reason why
     * @param tokens what it took
     * @param activity what the model did for it; null if nobody asked, or nothing was computed
     * @param report how long it took; null if nobody asked
     */
    record Finished(
            FinishReason reason,
            TokenCounts tokens,
            @Nullable Activity activity,
            @Nullable RequestReport report) implements EngineEvent {

        /** Creates an end that does not say how long it took. */
        public Finished(FinishReason reason, TokenCounts tokens, @Nullable Activity activity) {
            this(reason, tokens, activity, null);
        }

        /** Creates an end that says neither what the model did nor how long it took. */
        public Finished(FinishReason reason, TokenCounts tokens) {
            this(reason, tokens, null, null);
        }
    }

    /**
     * The request has ended because of a fault in the engine or in the request's consumer, or because the engine was
     * closed before it could finish.
     *
     * @param cause the fault; an {@link EngineRejectedException} if the engine was closed
     */
    record Failed(Throwable cause) implements EngineEvent {}
}
