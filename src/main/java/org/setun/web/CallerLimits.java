package org.setun.web;

import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.setun.generation.EmbeddingRequest;
import org.setun.generation.GenerationRequest;

/** What one caller may still ask for. Thread-safe. */
final class CallerLimits {

    /** The limits of whom nothing is asked. */
    static final CallerLimits NONE = new CallerLimits("", "everybody", Rates.UNLIMITED, 0, TimeMeter.SYSTEM_NANOTIME);

    private final String name;
    private final String caller;
    private final int defaultMaxTokens;

    // Null: as many as it likes.
    private final @Nullable RateBucket requests;
    private final @Nullable RateBucket tokens;

    /**
     * Creates full limits.
     *
     * @param name that of the caller's key; empty for all who have none
     * @param caller who it is, for messages
     * @param defaultMaxTokens how many tokens a request is answered with that does not say
     */
    CallerLimits(String name, String caller, Rates rates, int defaultMaxTokens, TimeMeter clock) {
        this.name = name;
        this.caller = caller;
        this.defaultMaxTokens = defaultMaxTokens;
        this.requests = bucket(rates.requestsPerMinute(), clock);
        this.tokens = bucket(rates.tokensPerMinute(), clock);
    }

    private static @Nullable RateBucket bucket(long limit, TimeMeter clock) {
        return limit == 0 ? null : new RateBucket(limit, clock);
    }

    /** Returns the name of the caller's key; empty for all who have none. */
    String name() {
        return name;
    }

    /**
     * Counts a request.
     *
     * @throws ApiException if it is one too many
     */
    void takeRequest() {
        Optional<Duration> wait = requests == null ? Optional.empty() : requests.take(1);
        if (requests != null && wait.isPresent()) {
            throw ApiException.rateLimited(
                    "requests: expected at most " + requests.limit() + " in a minute from " + caller
                            + ", found one more; try again in " + RateHeaders.text(wait.get()),
                    wait);
        }
    }

    /**
     * Takes the tokens that {@code generations} may need together, before they are started.
     *
     * @throws ApiException if so many are not left now, or can never be
     */
    TokenReservation reserve(List<GenerationRequest> generations) {
        return reserve(generations.stream()
                .mapToLong(request -> TokenReservation.estimate(request, defaultMaxTokens))
                .sum());
    }

    /** Takes the tokens that {@code embeddings} may need together, in the same way. */
    TokenReservation reserveEmbeddings(List<EmbeddingRequest> embeddings) {
        return reserve(embeddings.stream().mapToLong(TokenReservation::estimate).sum());
    }

    private TokenReservation reserve(long amount) {
        if (tokens == null) {
            return new TokenReservation(null, defaultMaxTokens, 0);
        }
        if (amount > tokens.limit()) {
            throw ApiException.rateLimited(
                    "tokens: expected at most " + tokens.limit() + " in a minute from " + caller + ", found about "
                            + amount + " in this request alone; shorten the prompt or lower max_tokens",
                    Optional.empty());
        }
        Optional<Duration> wait = tokens.take(amount);
        if (wait.isPresent()) {
            throw ApiException.rateLimited(
                    "tokens: expected at most " + tokens.limit() + " in a minute from " + caller + ", found about "
                            + amount + " in this request while "
                            + tokens.level().remaining() + " are left; try again in " + RateHeaders.text(wait.get()),
                    wait);
        }
        return new TokenReservation(tokens, defaultMaxTokens, amount);
    }

    /** Returns what is left of the requests; empty for no limit. */
    Optional<RateBucket.Level> requests() {
        return Optional.ofNullable(requests).map(RateBucket::level);
    }

    /** Returns what is left of the tokens; empty for no limit. */
    Optional<RateBucket.Level> tokens() {
        return Optional.ofNullable(tokens).map(RateBucket::level);
    }
}
