package org.setun.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.setun.sampling.TokenScore;

/** Records the events of one request, and checks that they come in order and that nothing follows the end. */
final class Recording implements Consumer<EngineEvent> {

    private final List<EngineEvent.Token> tokens = new ArrayList<>();
    private final List<TokenScore> promptScores = new ArrayList<>();
    private final CompletableFuture<float[]> embedding = new CompletableFuture<>();
    private final CompletableFuture<EngineEvent> end = new CompletableFuture<>();

    @Override
    public synchronized void accept(EngineEvent event) {
        if (end.isDone()) {
            throw new AssertionError("after the end came " + event);
        }
        switch (event) {
            case EngineEvent.PromptScores scores -> {
                int expected = promptScores.size() + 1;
                if (scores.position() != expected) {
                    throw new AssertionError("expected scores from " + expected + " on, found " + scores.position());
                }
                promptScores.addAll(scores.scores());
            }
            case EngineEvent.Embedding mean -> embedding.complete(mean.mean());
            case EngineEvent.Token token -> tokens.add(token);
            case EngineEvent.Finished finished -> end.complete(finished);
            case EngineEvent.Failed failed -> end.complete(failed);
        }
    }

    /** Waits for the end. */
    EngineEvent end() {
        try {
            return end.get(20, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("no end within 20 seconds", e);
        }
    }

    /** Waits for an end that is not a failure. */
    EngineEvent.Finished finished() {
        return switch (end()) {
            case EngineEvent.Finished finished -> finished;
            case EngineEvent other -> throw new AssertionError("expected a finish, found " + other);
        };
    }

    /** Waits for a failure. */
    Throwable failure() {
        return switch (end()) {
            case EngineEvent.Failed failed -> failed.cause();
            case EngineEvent other -> throw new AssertionError("expected a failure, found " + other);
        };
    }

    /** Returns the prompt's scores so far, from its second token on. */
    synchronized List<TokenScore> promptScores() {
        return List.copyOf(promptScores);
    }

    /** Returns the embedding, which has come. */
    float[] embedding() {
        return embedding.join();
    }

    boolean hasEnded() {
        return end.isDone();
    }

    /** Returns the tokens so far. */
    synchronized List<EngineEvent.Token> tokens() {
        return List.copyOf(tokens);
    }

    /** Returns the ids so far. */
    List<Integer> ids() {
        return tokens().stream().map(EngineEvent.Token::id).toList();
    }
}
