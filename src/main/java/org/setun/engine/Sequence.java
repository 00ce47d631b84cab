package org.setun.engine;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.model.CandidateRule;
import org.setun.model.Chunk;
import org.setun.model.SequenceState;

/**
 * A request on its way: its tokens, and how many of them the model has seen. Computed tokens chase the total; a prompt being
 * read in chunks and a token being generated are the same chase, and only a chunk that catches up yields the next token.
 *
 * <p>Owned by the engine thread, except for the two methods of {@link Engine.Handle}.
 */
final class Sequence implements Engine.Handle {

    private final TokenRequest request;
    private final Consumer<EngineEvent> events;
    private final long seed;
    private final long submittedNanos;

    private int[] tokens;
    private int totalTokens;
    private int computedTokens;
    private int scoredPrompt;
    private @Nullable MeanPool pool;
    private @Nullable SequenceState state;

    private long startedNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;

    private volatile @Nullable FinishReason requestedEnd;

    Sequence(TokenRequest request, Consumer<EngineEvent> events, long seed, long submittedNanos) {
        this.request = request;
        this.events = events;
        this.seed = seed;
        this.submittedNanos = submittedNanos;
        this.totalTokens = request.prompt().length;
        this.tokens = Arrays.copyOf(request.prompt(), totalTokens);
    }

    @Override
    public void cancel() {
        requestEnd(FinishReason.CANCELLED);
    }

    @Override
    public void stop() {
        requestEnd(FinishReason.STOP);
    }

    /** Keeps the first reason: what comes later finds the request ended. */
    private synchronized void requestEnd(FinishReason reason) {
        if (requestedEnd == null) {
            requestedEnd = reason;
        }
    }

    /** Returns why the request's owner wants it to end, null while it is wanted. */
    @Nullable
    FinishReason requestedEnd() {
        return requestedEnd;
    }

    /** Gives the sequence its memory, of an empty sequence. */
    void start(SequenceState emptyState) {
        state = emptyState;
        computedTokens = 0;
        pool = null;
    }

    /** Takes the sequence's memory away; null if it has none. */
    @Nullable
    SequenceState releaseState() {
        SequenceState released = state;
        state = null;
        return released;
    }

    /** Returns how many tokens the model has not seen. */
    int pendingTokens() {
        return totalTokens - computedTokens;
    }

    /**
     * Returns the next pending tokens.
     *
     * @param budget how many at most
     * @param vocabSize that of the model
     */
    Chunk nextChunk(int budget, int vocabSize) {
        if (state == null) {
            throw new IllegalStateException(request.id() + " has no state slot");
        }
        int end = computedTokens + Math.min(budget, pendingTokens());
        int[] next = Arrays.copyOfRange(tokens, computedTokens, end);
        Chunk.Wanted wanted = wanted(end);
        CandidateRule candidates =
                wanted == Chunk.Wanted.LAST && request.details().scores().isEmpty()
                        ? CandidateRules.of(request.sampling(), vocabSize, seed, totalTokens)
                        : new CandidateRule.All();
        return new Chunk(state, computedTokens, next, wanted, request.activationSparsity(), candidates);
    }

    private Chunk.Wanted wanted(int end) {
        if (wantsAllRows()) {
            return Chunk.Wanted.ALL;
        }
        if (computedTokens < promptTokens() && request.details().embedding()) {
            return Chunk.Wanted.HIDDEN;
        }
        return end == totalTokens && request.ending().maxTokens() > 0 ? Chunk.Wanted.LAST : Chunk.Wanted.NONE;
    }

    /** Returns whether the next chunk has a row of logits for each of its tokens. */
    boolean wantsAllRows() {
        return computedTokens < promptTokens()
                && request.details().promptScores().isPresent();
    }

    /** Notes that the model has seen {@code count} more tokens. */
    void advance(int count) {
        computedTokens += count;
    }

    /** Adds a generated token. */
    void append(int id) {
        if (totalTokens == tokens.length) {
            tokens = Arrays.copyOf(tokens, totalTokens + Math.max(16, totalTokens / 2));
        }
        tokens[totalTokens++] = id;
    }

    /** Returns why the sequence ends with its last token, null if it goes on. Asked when no token is pending or the last one was just appended. */
    @Nullable
    FinishReason finishReason() {
        if (completionTokens() > 0 && request.ending().stopTokens().contains(tokens[totalTokens - 1])) {
            return FinishReason.STOP;
        }
        return completionTokens() >= request.ending().maxTokens() ? FinishReason.LENGTH : null;
    }

    /** Notes when the sequence got its state slot, and returns how long it waited. */
    Duration startedAt(long nanos) {
        startedNanos = nanos;
        return Duration.ofNanos(nanos - submittedNanos);
    }

    /** Notes when the last token was generated, and tells the observer. */
    void generatedAt(long nanos, EngineObserver observer) {
        if (completionTokens() == 1) {
            firstTokenNanos = nanos;
            observer.firstToken(id(), Duration.ofNanos(nanos - submittedNanos));
        } else {
            observer.nextToken(id(), Duration.ofNanos(nanos - lastTokenNanos));
        }
        lastTokenNanos = nanos;
    }

    /** Returns what the request took, ending now. */
    RequestReport report(long nanos, boolean hadStarted) {
        long started = hadStarted ? startedNanos : nanos;
        long firstToken = completionTokens() > 0 ? firstTokenNanos : nanos;
        return new RequestReport(
                id(),
                promptTokens(),
                completionTokens(),
                Duration.ofNanos(started - submittedNanos),
                Duration.ofNanos(firstToken - started),
                Duration.ofNanos(nanos - firstToken));
    }

    String id() {
        return request.id();
    }

    TokenRequest request() {
        return request;
    }

    Consumer<EngineEvent> events() {
        return events;
    }

    long seed() {
        return seed;
    }

    int totalTokens() {
        return totalTokens;
    }

    /** Returns how many tokens the model will have seen at most; the last one generated it never sees. */
    int maxComputedTokens() {
        return (int) Math.min(
                Integer.MAX_VALUE,
                (long) promptTokens() + Math.max(0, request.ending().maxTokens() - 1));
    }

    int promptTokens() {
        return request.prompt().length;
    }

    int completionTokens() {
        return totalTokens - promptTokens();
    }

    /** Returns the id at {@code index}, of the prompt or generated. */
    int token(int index) {
        return tokens[Objects.checkIndex(index, totalTokens)];
    }

    /** Returns up to where the prompt's tokens have been scored. */
    int scoredPrompt() {
        return scoredPrompt;
    }

    /** Notes up to where the prompt's tokens have been scored. */
    void scoredPrompt(int end) {
        scoredPrompt = end;
    }

    /** Adds {@code count} rows of hidden states to what is pooled, those of the tokens that follow. */
    void pool(float[] hidden, int offset, int count, int hiddenSize) {
        if (pool == null) {
            pool = new MeanPool(hiddenSize);
        }
        pool.add(hidden, offset, count);
    }

    /** Returns the mean of the hidden states that were pooled. */
    float[] pooled() {
        return Objects.requireNonNull(pool).mean();
    }

    TokenCounts tokenCounts() {
        return new TokenCounts(promptTokens(), 0, completionTokens());
    }
}
