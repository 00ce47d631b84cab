package org.setun.web;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineRejectedException;
import org.setun.generation.Embedder;
import org.setun.generation.EmbeddingEvent;
import org.setun.generation.EmbeddingRequest;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Prompt;

/**
 * The tokens that an HTTP request may need, taken from its caller's rate before it is started. As with OpenAI a request is
 * charged at first for what it may use at most: its prompt, estimated from its bytes, and as many tokens of each answer as
 * it may have. When an answer has ended, be it because its client has left, the difference to its real usage is given
 * back, or taken where the estimate was too low; what the server failed to do, or refused, costs nothing.
 *
 * <p>Made and closed on one thread, which starts the generations in between.
 */
final class TokenReservation implements AutoCloseable {

    /** How many bytes of text OpenAI's rule of thumb takes for a token. */
    private static final int BYTES_PER_TOKEN = 4;

    // Null: nothing is counted.
    private final @Nullable RateBucket bucket;
    private final int defaultMaxTokens;
    private long unstarted;

    /** Creates the reservation of {@code amount} tokens, which have been taken from {@code bucket}. */
    TokenReservation(@Nullable RateBucket bucket, int defaultMaxTokens, long amount) {
        this.bucket = bucket;
        this.defaultMaxTokens = defaultMaxTokens;
        this.unstarted = amount;
    }

    /** Returns how many tokens {@code request} may need, at least 1. */
    static long estimate(GenerationRequest request, int defaultMaxTokens) {
        // Only reading an empty text takes none, and still the token that begins it.
        return Math.max(1, promptTokens(request.prompt()) + request.maxTokens().orElse(defaultMaxTokens));
    }

    /** Returns how many tokens {@code request} may need, at least 1. */
    static long estimate(EmbeddingRequest request) {
        return Math.max(1, promptTokens(request.input()));
    }

    private static long promptTokens(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Text text -> textTokens(text.text());
            case Prompt.Tokens tokens -> tokens.ids().size();
            case Prompt.Chat chat ->
                chat.messages().stream()
                        .mapToLong(message -> textTokens(message.role() + message.content()))
                        .sum();
        };
    }

    private static long textTokens(String text) {
        return Math.ceilDiv(text.getBytes(StandardCharsets.UTF_8).length, BYTES_PER_TOKEN);
    }

    /** Starts a generation whose tokens are reserved, and sees to it that it pays for what it uses. */
    Generator.Handle start(Generator generator, GenerationRequest request, Consumer<GenerationEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        if (bucket == null) {
            return generator.start(request, events);
        }
        RateBucket paying = bucket;
        long charged = estimate(request, defaultMaxTokens);
        Generator.Handle handle = generator.start(request, event -> {
            if (event instanceof GenerationEvent.Finished finished) {
                paying.correct((long) finished.usage().promptTokens()
                        + finished.usage().completionTokens()
                        - charged);
            } else if (event instanceof GenerationEvent.Failed) {
                paying.correct(-charged);
            }
            events.accept(event);
        });
        unstarted -= charged;
        return handle;
    }

    /** Starts an embedding whose tokens are reserved, and sees to it that it pays for what it uses. */
    Generator.Handle start(Embedder embedder, EmbeddingRequest request, Consumer<EmbeddingEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        if (bucket == null) {
            return embedder.start(request, events);
        }
        RateBucket paying = bucket;
        long charged = estimate(request);
        Generator.Handle handle = embedder.start(request, event -> {
            switch (event) {
                case EmbeddingEvent.Embedded embedded ->
                    paying.correct(embedded.usage().promptTokens() - charged);
                case EmbeddingEvent.Failed failed -> paying.correct(-charged);
            }
            events.accept(event);
        });
        unstarted -= charged;
        return handle;
    }

    /** Gives back the tokens of what was not started. */
    @Override
    public void close() {
        if (bucket != null) {
            bucket.correct(-unstarted);
        }
        unstarted = 0;
    }
}
