package org.setun.metrics;

import java.time.Duration;
import java.util.Arrays;

/**
 * The fixed bounds of the histograms: vLLM's, so that its dashboards fit, with finer ones below, because a small
 * ternary model answers in less time than vLLM's first bucket. Fixed ones cost a known number of series; Micrometer's
 * own would be 69 a histogram.
 */
final class Buckets {

    private static final long[] REQUEST_MILLIS = {
        10, 30, 100, 300, 500, 800, 1_000, 1_500, 2_000, 2_500, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 50_000,
        60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 7_680_000
    };
    private static final long[] FIRST_TOKEN_MILLIS = {
        1, 2, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000, 20_000, 40_000, 80_000,
        160_000, 640_000, 2_560_000
    };
    private static final long[] TOKEN_MICROS = {
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        25_000,
        50_000,
        75_000,
        100_000,
        150_000,
        200_000,
        300_000,
        400_000,
        500_000,
        750_000,
        1_000_000,
        2_500_000,
        5_000_000,
        7_500_000,
        10_000_000,
        20_000_000,
        40_000_000,
        80_000_000
    };
    private static final double[] TOKENS = {
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000
    };
    private static final double[] BATCH = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024};

    private Buckets() {}

    /** Returns bounds for whole requests and their parts, from 10 ms. */
    static Duration[] request() {
        return Arrays.stream(REQUEST_MILLIS).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
    }

    /** Returns bounds for the time to a first token, from 1 ms. */
    static Duration[] firstToken() {
        return Arrays.stream(FIRST_TOKEN_MILLIS).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
    }

    /** Returns bounds for the time of one token or one step, from 0.5 ms. */
    static Duration[] token() {
        return Arrays.stream(TOKEN_MICROS)
                .mapToObj(micros -> Duration.ofNanos(1_000 * micros))
                .toArray(Duration[]::new);
    }

    /** Returns bounds for numbers of tokens. */
    static double[] tokens() {
        return TOKENS.clone();
    }

    /** Returns bounds for numbers of sequences or tokens in one step. */
    static double[] batch() {
        return BATCH.clone();
    }
}
