package org.setun.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.setun.cli.BenchSetting.Phase;
import org.setun.cli.InterleavedTiming.Limits;

/**
 * What {@code setun bench} is to measure.
 *
 * @param threads numbers of threads
 * @param batches numbers of sequences that decode together
 * @param sparsities fractions of activations that every layer drops
 * @param promptTokens the length of the prefill, at least 1
 * @param contextTokens how many tokens a sequence has before it decodes
 * @param perSetting how long each setting is measured
 */
record BenchPlan(
        List<Integer> threads,
        List<Integer> batches,
        List<Double> sparsities,
        int promptTokens,
        int contextTokens,
        Duration perSetting) {

    /** By these parts of what a setting gets in all it is warmed up, and one sample is taken. */
    private static final int WARM_UP_PART = 5;

    private static final int SLICE_PART = 25;

    /** By this part of what all settings get long prompts may take longer. */
    private static final int OVERTIME_PART = 2;

    BenchPlan {
        threads = threads.stream().distinct().toList();
        batches = batches.stream().distinct().toList();
        sparsities = sparsities.stream().distinct().toList();
    }

    /** Returns the settings with each number of threads: prefill of one sequence, then decoding of every batch. */
    List<BenchSetting> settings() {
        List<BenchSetting> settings = new ArrayList<>();
        for (double sparsity : sparsities) {
            settings.add(new BenchSetting(Phase.PREFILL, 1, sparsity));
        }
        for (double sparsity : sparsities) {
            for (int batch : batches) {
                settings.add(new BenchSetting(Phase.DECODE, batch, sparsity));
            }
        }
        return settings;
    }

    /** Returns how many sequences decode together at most. */
    int maxBatch() {
        return batches.stream().reduce(1, Math::max);
    }

    /** Returns the largest fraction of activations that layers drop. */
    double maxSparsity() {
        return sparsities.stream().reduce(0.0, Math::max);
    }

    /** Returns about how many seconds measuring takes with each number of threads. */
    long expectedSeconds() {
        Limits limits = limits();
        int workloads = settings().size() + 1; // reading the memory is one more
        return limits.total().plus(limits.warmUp().multipliedBy(workloads)).toSeconds();
    }

    /** Returns how long to measure with each number of threads. */
    Limits limits() {
        Duration total = perSetting.multipliedBy(settings().size());
        return new Limits(
                perSetting.dividedBy(WARM_UP_PART),
                perSetting.dividedBy(SLICE_PART),
                total,
                total.dividedBy(OVERTIME_PART));
    }
}
