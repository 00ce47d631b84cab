package org.setun.engine;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.model.CandidateRule;
import org.setun.model.Chunk;
import org.setun.sampling.History;
import org.setun.sampling.SamplerState;
import org.setun.sampling.TokenScore;

/**
 * A request on its way: its tokens, and how many of them the model has seen. Computed tokens chase the total; a prompt being
 * read in chunks and a token being generated are the same chase, and only a chunk that catches up yields the next token. A
 * sequence that loses its memory to another one begins the chase anew, with all its tokens.
 *
 * <p>Owned by the engine thread, except for its {@link EarlyEnd}.
 */
final class Sequence {

    /** Who comes first: the lower priority number, then the earlier arrival. */
    static final Comparator<Sequence> ORDER = Comparator.<Sequence>comparingInt(
                    sequence -> sequence.request.urgency().priority())
            .thenComparingLong(sequence -> sequence.arrival);

    private final TokenRequest request;
    private final Consumer<EngineEvent> events;
    private final long seed;
    private final EarlyEnd earlyEnd;
    private final Timeline timeline;
    private final Prefix prefix;
    private final KeptPlaces keptPlaces = new KeptPlaces();
    private final SamplerState samplerState = new SamplerState();

    private long arrival = -1;
    private int computedTokens;
    private int keptTokens;
    private int pausesAt;
    private int cachedTokens;
    private int storedTokens;
    private int lostTokens;
    private int knownInMemory;
    private int scoredPrompt;
    private boolean suspected;
    private @Nullable Sequence awaited;
    private int awaitedTokens;
    private @Nullable MeanPool pool;
    private @Nullable SequenceMemory memory;
    private @Nullable SequenceActivity activity;
    private @Nullable StoredPrefix found;
    private List<TokenScore> inherited = List.of();

    Sequence(TokenRequest request, Consumer<EngineEvent> events, long seed, DueEnds ends, long submittedNanos) {
        this.request = request;
        this.events = events;
        this.seed = seed;
        this.earlyEnd = new EarlyEnd(this, ends, submittedNanos);
        this.timeline = new Timeline(submittedNanos);
        this.prefix = new Prefix(request.prompt(), request.activationSparsity());
        this.knownInMemory = Integer.MAX_VALUE;
    }

    /** Notes that the sequence has come to the engine thread, and how many requests came before. */
    void arrivedAs(long number) {
        arrival = number;
    }

    /** Returns whether the sequence has come to the engine thread. */
    boolean hasArrived() {
        return arrival >= 0;
    }

    /** Gives the sequence its memory, which holds the state of its first {@code knownTokens} tokens. */
    void start(SequenceMemory memory, int knownTokens) {
        this.memory = memory;
        lostTokens = Math.max(0, computedTokens - knownTokens);
        computedTokens = knownTokens;
        keptTokens = knownTokens;
        keptPlaces.restart(knownTokens);
        pool = null;
        if (!timeline.started()) {
            cachedTokens = Math.min(knownTokens, promptTokens());
            storedTokens = Math.max(0, cachedTokens - knownInMemory);
        }
    }

    /** Lets the sequence go on from where another one has read the same prompt, and know what that one was told of it. */
    void inherit(List<TokenScore> scores) {
        inherited = scores.isEmpty() ? scores : scores.subList(Math.max(0, scoredPrompt - 1), scores.size());
        scoredPrompt = promptTokens();
    }

    /** Takes away what another sequence was told of the last tokens of the prompt, and this one was not. */
    List<TokenScore> takeInherited() {
        List<TokenScore> taken = inherited;
        inherited = List.of();
        return taken;
    }

    /** Returns how many tokens the model had seen that it must see again, as the memory that {@link #start} gave is not the first. */
    int lostTokens() {
        return lostTokens;
    }

    /** Gives the sequence a state that a store had, before it comes to the engine thread. */
    void found(StoredPrefix prefix) {
        found = prefix;
    }

    /** Takes away what a store had; null if that is nothing. */
    @Nullable
    StoredPrefix takeFound() {
        StoredPrefix taken = found;
        found = null;
        return taken;
    }

    /** Notes that memory has the state that a store had, and how many of the tokens it knew before. */
    void adopted(int knownBefore) {
        knownInMemory = knownBefore;
    }

    /** Takes the sequence's memory away; null if it has none. */
    @Nullable
    SequenceMemory releaseMemory() {
        SequenceMemory released = memory;
        memory = null;
        return released;
    }

    /** Returns the sequence's memory, which it must have. */
    SequenceMemory memory() {
        if (memory == null) {
            throw new IllegalStateException(id() + " has no memory");
        }
        return memory;
    }

    boolean hasMemory() {
        return memory != null;
    }

    /** Returns how many tokens the model has not seen. */
    int pendingTokens() {
        return totalTokens() - computedTokens;
    }

    /**
     * Returns the next pending tokens, for which there is memory.
     *
     * @param count how many, at least 1, no more than are pending
     * @param vocabSize that of the model
     */
    Chunk nextChunk(int count, int vocabSize) {
        int end = computedTokens + count;
        Chunk.Wanted wanted = wanted(end);
        CandidateRule candidates =
                wanted == Chunk.Wanted.LAST && request.details().scores().isEmpty()
                        ? CandidateRules.of(request.sampling(), bannedTokens().size(), vocabSize, seed, totalTokens())
                        : new CandidateRule.All();
        int[] tokens = prefix.slice(computedTokens, end);
        return new Chunk(memory().state(), computedTokens, tokens, wanted, request.activationSparsity(), candidates);
    }

    private Chunk.Wanted wanted(int end) {
        if (wantsAllRows()) {
            return Chunk.Wanted.ALL;
        }
        if (computedTokens < promptTokens() && request.details().embedding()) {
            return Chunk.Wanted.HIDDEN;
        }
        return end == totalTokens() && request.ending().maxTokens() > 0 ? Chunk.Wanted.LAST : Chunk.Wanted.NONE;
    }

    /** Returns whether the next chunk has a row of logits for each of its tokens. */
    boolean wantsAllRows() {
        return computedTokens < promptTokens()
                && request.details().promptScores().isPresent();
    }

    /** Returns how many of the tokens may be known beforehand: what is told of each, or follows the last, must be computed. */
    int mayBeKnown() {
        boolean told = request.details().embedding()
                || (request.details().promptScores().isPresent() && scoredPrompt < promptTokens());
        return told ? 0 : totalTokens() - 1;
    }

    /** Returns what the choice of the next token may depend on; valid until {@link #append}. */
    History history() {
        return new History(prefix.array(), promptTokens(), totalTokens(), bannedTokens());
    }

    /** Returns the tokens that the next one cannot be, as the sequence would end too early. */
    private Set<Integer> bannedTokens() {
        Ending ending = request.ending();
        return completionTokens() < ending.minTokens() ? ending.stopTokens() : Set.of();
    }

    /** Returns what sampling remembers of the sequence. */
    SamplerState samplerState() {
        return samplerState;
    }

    /** Notes that the model has seen {@code count} more tokens. */
    void advance(int count) {
        computedTokens += count;
    }

    /** Adds a generated token. */
    void append(int id) {
        prefix.append(id);
    }

    /** Returns why the sequence ends with its last token, null if it goes on. Asked when no token is pending or the last one was just appended. */
    @Nullable
    FinishReason finishReason() {
        if (completionTokens() > 0 && request.ending().stopTokens().contains(token(totalTokens() - 1))) {
            return FinishReason.STOP;
        }
        return completionTokens() >= request.ending().maxTokens() ? FinishReason.LENGTH : null;
    }

    /** Lets the sequence wait until another one has read so many tokens. */
    void await(Sequence other, int tokens) {
        awaited = other;
        awaitedTokens = tokens;
    }

    /** Lets the sequence wait for no other one. */
    void awaitNobody() {
        awaited = null;
    }

    /** Returns the sequence that this one waits for; null if for none. */
    @Nullable
    Sequence awaited() {
        return awaited;
    }

    int awaitedTokens() {
        return awaitedTokens;
    }

    /** Returns whether the sequence was in a step that failed, and has not run alone since. */
    boolean isSuspected() {
        return suspected;
    }

    /** Notes whether the sequence may be the reason why a step failed. */
    void suspected(boolean suspected) {
        this.suspected = suspected;
    }

    /** Returns up to where the sequence's state is remembered elsewhere. */
    int keptTokens() {
        return keptTokens;
    }

    /** Notes that the state of all computed tokens is remembered elsewhere. */
    void kept() {
        keptTokens = computedTokens;
    }

    /** Returns where in the prompt states are remembered that the sequence has come by. */
    KeptPlaces keptPlaces() {
        return keptPlaces;
    }

    /** Returns where in the prompt a chunk shall end, as the state there may help others; 0 for nowhere. */
    int pausesAt() {
        return pausesAt;
    }

    /** Tells where in the prompt a chunk shall end. */
    void pauseAt(int count) {
        pausesAt = count;
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

    /** Takes what counts what the model does for the sequence, at its first start. */
    void countIn(SequenceActivity counts) {
        activity = counts;
    }

    /** Returns what counts for the sequence, once it has been started. */
    Optional<SequenceActivity> activity() {
        return Optional.ofNullable(activity);
    }

    /** Returns how the sequence ends before it has all its tokens. */
    EarlyEnd earlyEnd() {
        return earlyEnd;
    }

    Timeline timeline() {
        return timeline;
    }

    Prefix prefix() {
        return prefix;
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

    double activationSparsity() {
        return request.activationSparsity();
    }

    int computedTokens() {
        return computedTokens;
    }

    int totalTokens() {
        return prefix.length();
    }

    int promptTokens() {
        return request.prompt().length;
    }

    int completionTokens() {
        return totalTokens() - promptTokens();
    }

    /** Returns the id at {@code index}, of the prompt or generated. */
    int token(int index) {
        return prefix.token(index);
    }

    TokenCounts tokenCounts() {
        return new TokenCounts(promptTokens(), cachedTokens, storedTokens, completionTokens());
    }
}
