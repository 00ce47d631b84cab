package org.setun.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code setun bench} measured, as {@code --json} prints it.
 *
 * @param bandwidth streaming reads with the largest number of threads, 10^9 bytes a second
 * @param runs one for each setting
 * @param model the model's path, or the name of a shape
 * @param parameters the number of weights
 * @param kernel the arithmetic
 * @param loadSeconds how long the weights took to load or make, by all cores, for the largest number of threads
 * @param passWeightBytes the bytes of weights that a decoding step reads, each once
 * @param residentBytes the memory of the whole process after measuring with the largest number of threads; null where the
 *     operating system does not tell
 */
record BenchReport(
        @JsonProperty("bandwidth_gb_s") double bandwidth,
        List<Run> runs,
        String model,
        long parameters,
        String kernel,
        @JsonProperty("load_seconds") double loadSeconds,
        @JsonProperty("pass_weight_bytes") long passWeightBytes,
        @JsonProperty("resident_bytes") @Nullable Long residentBytes) {

    static final double GIGABYTE = 1e9;

    BenchReport {
        runs = List.copyOf(runs);
    }

    /**
     * Returns the report of all numbers of threads.
     *
     * @param reports one of each, at least one
     */
    static BenchReport of(List<BenchReport> reports) {
        BenchReport most = Collections.max(
                reports,
                Comparator.comparingInt(report -> report.runs.getFirst().threads()));
        return new BenchReport(
                most.bandwidth,
                reports.stream().flatMap(report -> report.runs.stream()).toList(),
                most.model,
                most.parameters,
                most.kernel,
                most.loadSeconds,
                most.passWeightBytes,
                most.residentBytes);
    }

    /**
     * The speed in one setting.
     *
     * @param phase {@code prefill} or {@code decode}
     * @param threads how many threads compute
     * @param batch how many sequences run together
     * @param sparsity the fraction of activations that every layer drops
     * @param rate tokens a second, of all sequences together: from the medians
     * @param bandwidthFraction the bytes that a decoding step without sparsity reads, times steps a second, by {@code bandwidth};
     *     may exceed 1 where sparsity leaves bytes out or caches hold the weights; null in prefill, which arithmetic bounds
     * @param slowest tokens a second in the slowest samples
     * @param fastest tokens a second in the fastest samples
     * @param samples how often it was measured; of a prompt's chunks, that which was measured least
     * @param timedTokens how many tokens were timed: of the prompt, or one of each sequence. Less than the whole prompt where
     *     the time did not suffice for its last chunks
     * @param bandwidth streaming reads with as many threads, 10^9 bytes a second
     * @param position how many tokens a sequence has before the first of those measured
     */
    record Run(
            String phase,
            int threads,
            int batch,
            double sparsity,
            @JsonProperty("tokens_per_s") double rate,
            @JsonProperty("bandwidth_fraction") @Nullable Double bandwidthFraction,
            @JsonProperty("slowest_tokens_per_s") double slowest,
            @JsonProperty("fastest_tokens_per_s") double fastest,
            int samples,
            @JsonProperty("timed_tokens") long timedTokens,
            @JsonProperty("bandwidth_gb_s") double bandwidth,
            int position) {

        /**
         * Puts a run together.
         *
         * @param reads streaming reads with as many threads
         */
        static Run of(
                BenchSetting setting,
                int threads,
                Timing timing,
                Timing reads,
                @Nullable Double bandwidthFraction,
                int position) {
            return new Run(
                    setting.phase().name().toLowerCase(Locale.ROOT),
                    threads,
                    setting.batch(),
                    setting.sparsity(),
                    timing.rate(),
                    bandwidthFraction,
                    timing.slowest(),
                    timing.fastest(),
                    timing.samples(),
                    timing.units(),
                    reads.rate() / GIGABYTE,
                    position);
        }
    }
}
