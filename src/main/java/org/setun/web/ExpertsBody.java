package org.setun.web;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.setun.engine.ExpertUsage;
import org.setun.engine.UsageSpread;

/**
 * How the experts of one layer have been used since the start, as the API shows it.
 *
 * @param experts how many there are
 * @param topK how many each head retrieves for a token
 * @param lookups how many were retrieved, one for each token, head and rank
 * @param activated how many different experts each token activated, summed over the tokens
 * @param used how many different experts were ever retrieved
 * @param distinct how many different ones lately
 * @param entropy 1 where all are used alike, 0 where one alone is; null before the first lookup
 * @param gini 0 where all are used alike, towards 1 where one alone is; null before the first lookup
 * @param top1pctShare the share of the lookups that fell to the most used hundredth; null before the first lookup
 * @param hitRanks for how many retrievals of a head the expert of each rank mattered most, the best score first
 * @param top the most used experts, the first one most
 */
record ExpertsBody(
        int layer,
        int experts,
        int topK,
        long lookups,
        long activated,
        int used,
        Distinct distinct,
        @Nullable Double entropy,
        @Nullable Double gini,
        @Nullable Double top1pctShare,
        List<Long> hitRanks,
        List<Use> top) {

    /** Different experts of the last so many seconds. */
    record Distinct(int lastMinute, int lastTenMinutes) {}

    /**
     * One expert.
     *
     * @param expert its number
     * @param share of all lookups
     */
    record Use(int expert, long lookups, double share) {}

    static ExpertsBody of(ExpertUsage usage, int top) {
        UsageSpread spread = usage.spread();
        // Taken first: what follows may have grown by then.
        long lookups = usage.lookups();
        return new ExpertsBody(
                usage.layer(),
                usage.count(),
                usage.topK(),
                lookups,
                usage.activated(),
                spread.used(),
                new Distinct(usage.distinct(Duration.ofMinutes(1)), usage.distinct(Duration.ofMinutes(10))),
                number(spread.entropy()),
                number(spread.gini()),
                number(spread.topShare()),
                IntStream.range(0, usage.topK()).mapToLong(usage::hits).boxed().toList(),
                usage.top(top).stream()
                        .map(use -> new Use(use.expert(), use.lookups(), (double) use.lookups() / Math.max(1, lookups)))
                        .toList());
    }

    private static @Nullable Double number(double value) {
        return Double.isNaN(value) ? null : value;
    }
}
