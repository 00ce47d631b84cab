package org.setun.web;

import java.time.Duration;
import org.springframework.http.HttpHeaders;

/** Writes what is left of a caller's rates as OpenAI does, in {@code x-ratelimit-*} headers. */
final class RateHeaders {

    private RateHeaders() {}

    /** Adds the headers of the limits that there are. */
    static void write(HttpHeaders headers, CallerLimits limits) {
        limits.requests().ifPresent(level -> write(headers, "requests", level));
        limits.tokens().ifPresent(level -> write(headers, "tokens", level));
    }

    private static void write(HttpHeaders headers, String kind, RateBucket.Level level) {
        headers.set("x-ratelimit-limit-" + kind, Long.toString(level.limit()));
        headers.set("x-ratelimit-remaining-" + kind, Long.toString(level.remaining()));
        headers.set("x-ratelimit-reset-" + kind, text(level.reset()));
    }

    /** Returns a duration in OpenAI's notation, such as {@code 20ms}, {@code 1s} or {@code 6m0s}, rounded up. */
    static String text(Duration duration) {
        if (duration.isZero()) {
            return "0s";
        }
        long millis = Math.ceilDiv(duration.toNanos(), 1_000_000L);
        if (millis < 1000) {
            return millis + "ms";
        }
        Duration seconds = Duration.ofSeconds(Math.ceilDiv(millis, 1000L));
        String minutes = seconds.toMinutes() == 0 ? "" : seconds.toMinutes() + "m";
        return minutes + seconds.toSecondsPart() + "s";
    }
}
