package org.setun.generation;

import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.setun.engine.Activity;
import org.setun.engine.FinishReason;
import org.setun.engine.RequestReport;

/** What the generator tells the owner of a request, in order: of its prompt if asked, any number of texts, then one end. */
public sealed interface GenerationEvent {

    /**
     * The request's prompt, which comes if the request asks for its text or its scores.
     *
     * @param text what is continued
     * @param tokens its tokens, if scores are wanted
     */
    record Prompt(String text, List<TextToken> tokens) implements GenerationEvent {

        public Prompt {
            tokens = List.copyOf(tokens);
        }
    }

    /**
     * More of the answer, complete characters only.
     *
     * @param text not empty, unless tokens without text end the answer
     * @param tokens the tokens that begin in this text, if scores are wanted
     */
    record Text(String text, List<TextToken> tokens) implements GenerationEvent {

        public Text {
            tokens = List.copyOf(tokens);
        }

        /** Creates a text without scores. */
        public Text(String text) {
            this(text, List.of());
        }

        boolean isEmpty() {
            return text.isEmpty() && tokens.isEmpty();
        }
    }

    /**
     * The request has ended as it should.
     *
     * @param reason why
     * @param usage what it took
     * @param meanLogProbability the mean of the log probabilities of all tokens generated, those that were dropped and a final stop
     *     token included; empty if there are none or no scores are wanted
     * @param activity what the model did; null if nobody asked, or nothing was computed
     * @param report how long it took; null if nobody asked
     */
    record Finished(
            FinishReason reason,
            Usage usage,
            OptionalDouble meanLogProbability,
            @Nullable Activity activity,
            @Nullable RequestReport report)
            implements GenerationEvent {

        /** Creates the end of an answer that does not say how long it took. */
        public Finished(
                FinishReason reason, Usage usage, OptionalDouble meanLogProbability, @Nullable Activity activity) {
            this(reason, usage, meanLogProbability, activity, null);
        }

        /** Creates the end of an answer that says neither what the model did nor how long it took. */
        public Finished(FinishReason reason, Usage usage, OptionalDouble meanLogProbability) {
            this(reason, usage, meanLogProbability, null, null);
        }

        /** Creates the end of an answer without any details. */
        public Finished(FinishReason reason, Usage usage) {
            this(reason, usage, OptionalDouble.empty(), null, null);
        }
    }

    /**
     * The request has ended because of a fault of the server or of the request's consumer, or because the server is
     * shutting down.
     *
     * @param cause the fault; an {@link org.setun.engine.EngineRejectedException} if the server is shutting down
     */
    record Failed(Throwable cause) implements GenerationEvent {}
}
