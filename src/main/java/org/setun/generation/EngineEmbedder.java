package org.setun.generation;

import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.engine.Details;
import org.setun.engine.Ending;
import org.setun.engine.Engine;
import org.setun.engine.EngineEvent;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.FinishReason;
import org.setun.engine.TokenRequest;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.Tokenizer;

/** Embeds texts with an engine and the tokenizer of its model, both of which stay the caller's. */
public final class EngineEmbedder implements Embedder {

    private static final Details EMBEDDING = new Details(OptionalInt.empty(), OptionalInt.empty(), true);
    private static final Ending NO_TOKENS = new Ending(0, Set.of());

    private final Engine engine;
    private final PromptEncoder prompts;
    private final GenerationSettings settings;

    /** Creates an embedder over {@code engine}, whose token ids are {@code tokenizer}'s. */
    public EngineEmbedder(Engine engine, Tokenizer tokenizer, GenerationSettings settings) {
        this(engine, tokenizer, settings, GenerationObserver.NONE);
    }

    /** Creates an embedder that {@code observer} sees. */
    public EngineEmbedder(
            Engine engine, Tokenizer tokenizer, GenerationSettings settings, GenerationObserver observer) {
        this.engine = engine;
        this.prompts = new PromptEncoder(tokenizer, engine.vocabSize(), observer);
        this.settings = settings;
    }

    @Override
    public Generator.Handle start(EmbeddingRequest request, Consumer<EmbeddingEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        int[] ids = prompts.encode(request.input());
        if (ids.length > settings.contextLength()) {
            throw new InvalidPromptException(
                    "context_length_exceeded",
                    "This model's context length is " + settings.contextLength() + " tokens, but the input has "
                            + ids.length + ". Please shorten the input.");
        }
        Receiver receiver = new Receiver(events);
        Engine.Handle handle = engine.submit(
                new TokenRequest(
                        request.id(), ids, NO_TOKENS, SamplingParameters.GREEDY, EMBEDDING, request.urgency(), 0),
                receiver::handle);
        return handle::cancel;
    }

    /** Waits for the vector and then the end. Engine thread. */
    private static final class Receiver {

        private final Consumer<EmbeddingEvent> events;
        private float @Nullable [] mean;

        Receiver(Consumer<EmbeddingEvent> events) {
            this.events = events;
        }

        void handle(EngineEvent event) {
            switch (event) {
                case EngineEvent.PromptScores scores -> throw new IllegalStateException("nobody asked for scores");
                case EngineEvent.Token token -> throw new IllegalStateException("nobody asked for tokens");
                case EngineEvent.Embedding embedding -> mean = embedding.mean();
                case EngineEvent.Finished finished -> events.accept(ended(finished));
                case EngineEvent.Failed failed -> events.accept(new EmbeddingEvent.Failed(failed.cause()));
            }
        }

        private EmbeddingEvent ended(EngineEvent.Finished finished) {
            if (mean == null) {
                return new EmbeddingEvent.Failed(
                        finished.reason() == FinishReason.TIMEOUT
                                ? new TimeoutException("the request's time was over before its vector was there")
                                : new CancellationException("the engine ended the request: " + finished.reason()));
            }
            Usage usage = new Usage(
                    finished.tokens().prompt(),
                    finished.tokens().cached(),
                    finished.tokens().completion());
            return new EmbeddingEvent.Embedded(ofLengthOne(mean), usage);
        }
    }

    /** Returns the vector of the same direction and of length 1; one of zeros stays as it is. */
    static float[] ofLengthOne(float[] vector) {
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        double length = squares == 0 ? 1 : Math.sqrt(squares);
        float[] scaled = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            scaled[i] = (float) (vector[i] / length);
        }
        return scaled;
    }
}
