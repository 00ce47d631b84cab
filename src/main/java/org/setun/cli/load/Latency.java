package org.setun.cli.load;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import org.HdrHistogram.Histogram;

/**
 * How some durations were distributed, in milliseconds; all 0 where there was none.
 *
 * @param count how many there were
 * @param mean their mean
 * @param p50 their median
 * @param p90 what nine in ten did not exceed
 * @param p99 what 99 in 100 did not exceed
 * @param max the longest
 */
@JsonPropertyOrder({"count", "mean", "p50", "p90", "p99", "max"})
public record Latency(long count, double mean, double p50, double p90, double p99, double max) {

    private static final double MICROS_PER_MILLI = 1e3;

    /** Summarises microseconds. */
    static Latency of(Histogram micros) {
        long count = micros.getTotalCount();
        if (count == 0) {
            return new Latency(0, 0, 0, 0, 0, 0);
        }
        return new Latency(
                count,
                micros.getMean() / MICROS_PER_MILLI,
                micros.getValueAtPercentile(50) / MICROS_PER_MILLI,
                micros.getValueAtPercentile(90) / MICROS_PER_MILLI,
                micros.getValueAtPercentile(99) / MICROS_PER_MILLI,
                micros.getMaxValue() / MICROS_PER_MILLI);
    }
}
