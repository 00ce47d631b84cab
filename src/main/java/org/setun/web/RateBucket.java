package org.setun.web;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.EstimationProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.Optional;

/**
 * What is left of one rate: a bucket that holds a minute's worth, and fills up evenly. It may be overdrawn, and then gives
 * nothing until it has filled up again. Thread-safe, without locks.
 */
final class RateBucket {

    private static final Duration PERIOD = Duration.ofMinutes(1);

    /**
     * A bucket at a moment, as clients see it.
     *
     * @param limit how much it holds
     * @param remaining how much is left, at least 0
     * @param reset how long until it is full again
     */
    record Level(long limit, long remaining, Duration reset) {}

    private final long limit;
    private final Bucket bucket;

    /** Creates a full bucket of {@code limit} a minute, at least 1. */
    RateBucket(long limit, TimeMeter clock) {
        this.limit = limit;
        this.bucket = Bucket.builder()
                .addLimit(bandwidth -> bandwidth.capacity(limit).refillGreedy(limit, PERIOD))
                .withCustomTimePrecision(clock)
                .build();
    }

    long limit() {
        return limit;
    }

    /**
     * Takes {@code amount}, at least 1, or nothing.
     *
     * @return empty if it was there, otherwise how long until it will be; it must not be more than the limit
     */
    Optional<Duration> take(long amount) {
        if (amount > limit) {
            throw new IllegalArgumentException("amount: expected at most the limit, " + limit + ", found " + amount);
        }
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(amount);
        return probe.isConsumed() ? Optional.empty() : Optional.of(Duration.ofNanos(probe.getNanosToWaitForRefill()));
    }

    /** Takes {@code amount} whether it is there or not, or gives it back if it is negative. */
    void correct(long amount) {
        if (amount > 0) {
            bucket.consumeIgnoringRateLimits(amount);
        } else if (amount < 0) {
            bucket.addTokens(-amount);
        }
    }

    Level level() {
        EstimationProbe full = bucket.estimateAbilityToConsume(limit);
        return new Level(
                limit, Math.max(0, full.getRemainingTokens()), Duration.ofNanos(full.getNanosToWaitForRefill()));
    }
}
