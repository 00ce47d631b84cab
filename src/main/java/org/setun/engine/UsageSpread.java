package org.setun.engine;

import java.util.function.IntToLongFunction;

/**
 * How evenly lookups are spread over all experts of a layer, unused ones among them.
 *
 * @param used how many experts have been used at all
 * @param entropy that of the shares of lookups, divided by the logarithm of the number of experts: 1 where all are used alike, 0
 *     where one alone is; not a number before the first lookup
 * @param gini the Gini coefficient: 0 where all are used alike, towards 1 where one alone is; not a number before the first lookup
 * @param topShare the share of the lookups that fell to the most used hundredth of the experts, rounded up to a whole number of them; not a
 *     number before the first lookup
 * @param nanos when this was found, by the engine's clock
 */
public record UsageSpread(int used, double entropy, double gini, double topShare, long nanos) {

    /** Values below are told apart; those above with this many steps for each doubling, which is a precision of a thousandth. */
    private static final int EXACT = 2048;

    private static final int EXACT_BITS = 11;
    private static final int STEPS = EXACT / 2;
    private static final int TOP_PART = 100;

    /**
     * Finds it in one walk over the counts, and one over their histogram.
     *
     * @param size how many experts there are
     * @param lookupsOf those of each expert, less than 2^32
     */
    static UsageSpread of(int size, IntToLongFunction lookupsOf, long nanos) {
        int buckets = EXACT + (Integer.SIZE - EXACT_BITS) * STEPS;
        int[] experts = new int[buckets];
        long[] lookups = new long[buckets];
        long total = 0;
        for (int expert = 0; expert < size; expert++) {
            long count = lookupsOf.applyAsLong(expert);
            int bucket = bucket(count);
            experts[bucket]++;
            lookups[bucket] += count;
            total += count;
        }
        int used = size - experts[0];
        if (total == 0) {
            return new UsageSpread(0, Double.NaN, Double.NaN, Double.NaN, nanos);
        }
        double logs = 0;
        double ranked = 0;
        double rank = 0;
        for (int bucket = 0; bucket < buckets; bucket++) {
            double number = experts[bucket];
            if (number > 0) {
                double mean = lookups[bucket] / number;
                logs += mean > 0 ? lookups[bucket] * Math.log(mean) : 0;
                // The ranks of these experts, from 1 for the least used, are rank + 1 to rank + number.
                ranked += mean * (number * rank + number * (number + 1) / 2);
                rank += number;
            }
        }
        double entropy = size == 1 ? 1 : (Math.log((double) total) - logs / total) / Math.log(size);
        double gini = 2 * ranked / ((double) size * total) - (size + 1.0) / size;
        return new UsageSpread(used, entropy, gini, top(experts, lookups, Math.ceilDiv(size, TOP_PART)) / total, nanos);
    }

    private static double top(int[] experts, long[] lookups, int wanted) {
        double sum = 0;
        int left = wanted;
        for (int bucket = experts.length - 1; bucket >= 0 && left > 0; bucket--) {
            if (experts[bucket] > 0) {
                int taken = Math.min(left, experts[bucket]);
                sum += (double) lookups[bucket] * taken / experts[bucket];
                left -= taken;
            }
        }
        return sum;
    }

    private static int bucket(long count) {
        if (count < EXACT) {
            return (int) count;
        }
        int doublings = Long.SIZE - 1 - Long.numberOfLeadingZeros(count) - EXACT_BITS;
        int step = (int) (count >>> (doublings + 1)) - STEPS;
        return EXACT + doublings * STEPS + step;
    }
}
