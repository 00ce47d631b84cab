package org.setun.metrics;

import java.util.Arrays;
import java.util.List;

/**
 * The fixed bounds of the histograms, rising: vLLM's, so that its dashboards fit, with finer ones below, because a small
 * ternary model answers in less time than vLLM's first bucket. Fixed ones cost a known number of series; Micrometer's
 * own would be 69 a histogram.
 */
final class Buckets {

    /** For whole requests and their parts, in seconds, from 10 ms. */
    static final List<Double> REQUEST = of(
            0.01, 0.03, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1_920,
            7_680);
    /** For the time to a first token, in seconds, from 1 ms. */
    static final List<Double> FIRST_TOKEN = of(
            0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
            160, 640, 2_560);
    /** For the time of one token or one step, in seconds, from 0.5 ms. */
    static final List<Double> TOKEN = of(
            0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5,
            10, 20, 40, 80);
    /** For numbers of tokens. */
    static final List<Double> TOKENS =
            of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000);
    /** For numbers of sequences or tokens in one step. */
    static final List<Double> BATCH = of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024);

    /** For fractions. */
    static final List<Double> FRACTION = of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99);

    private Buckets() {}

    private static List<Double> of(double... bounds) {
        return Arrays.stream(bounds).boxed().toList();
    }
}
