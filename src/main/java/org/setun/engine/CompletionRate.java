package org.setun.engine;

import java.time.Duration;

/**
 * Measures how fast places become free, to tell rejected clients when to come back. Written by the engine thread, read by
 * any.
 *
 * <p>By Little's law an engine with all places taken completes {@code places / mean residence time} requests a second. The
 * residence time is what is measured: unlike the distance between completions, it does not grow while the engine is idle.
 */
final class CompletionRate {

    /** The weight of the newest request in the moving mean: about the last 16 count. */
    private static final double NEWEST = 1.0 / 16;

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofSeconds(60);

    private final int places;
    private volatile double meanSeconds = Double.NaN;

    CompletionRate(int places) {
        this.places = places;
    }

    /** Notes that a request has given up its place after {@code seconds}. */
    void completed(double seconds) {
        double mean = meanSeconds;
        meanSeconds = Double.isNaN(mean) ? seconds : mean + NEWEST * (seconds - mean);
    }

    /** Returns when the {@code waiting} requests will have got a place, between 1 and 60 seconds, in whole seconds. */
    Duration untilStarted(int waiting) {
        double seconds = waiting * meanSeconds / places;
        if (!(seconds > SHORTEST.toSeconds())) {
            return SHORTEST;
        }
        return seconds >= LONGEST.toSeconds() ? LONGEST : Duration.ofSeconds((long) Math.ceil(seconds));
    }
}
