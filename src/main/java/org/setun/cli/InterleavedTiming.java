package org.setun.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Times several workloads in turns: a slice of one, then a slice of that which has had the least time. What disturbs the machine
 * for a while so disturbs a few slices of all of them and not one workload alone, and the medians stay what they are.
 */
final class InterleavedTiming {

    private static final double NANOS = 1e9;

    private final Limits limits;
    private final LongSupplier nanoClock;

    /**
     * How long to measure.
     *
     * @param warmUp how long each workload runs before anything is timed, so that the compiler is done with it; once at least
     * @param slice how long a part is repeated for one sample, which is the mean of its repetitions; once at least
     * @param total how long slices go on, though every workload gets one
     * @param overtime how much longer they may go on for workloads of which a part has not been timed
     */
    record Limits(Duration warmUp, Duration slice, Duration total, Duration overtime) {}

    /** The times so far of a workload's parts. */
    private static final class Samples {

        private final Workload workload;
        private final List<List<Double>> seconds = new ArrayList<>();
        private int count;
        private long nanos;

        Samples(Workload workload) {
            this.workload = workload;
            for (int part = 0; part < workload.parts(); part++) {
                seconds.add(new ArrayList<>());
            }
        }

        boolean isEmpty() {
            return count == 0;
        }

        boolean isPartial() {
            return count < workload.parts();
        }

        long nanos() {
            return nanos;
        }

        int nextPart() {
            return count % workload.parts();
        }

        void add(long sliceNanos, int repetitions) {
            seconds.get(nextPart()).add(sliceNanos / NANOS / repetitions);
            count++;
            nanos += sliceNanos;
        }

        Timing timing() {
            List<Timing.Part> parts = new ArrayList<>();
            for (int part = 0; part < Math.min(count, workload.parts()); part++) {
                parts.add(new Timing.Part(workload.units(part), seconds.get(part)));
            }
            return new Timing(parts);
        }
    }

    /**
     * Creates a measurement.
     *
     * @param nanoClock tells the time in nanoseconds
     */
    InterleavedTiming(Limits limits, LongSupplier nanoClock) {
        this.limits = limits;
        this.nanoClock = nanoClock;
    }

    /** Times {@code workloads}; returns their timings in the same order. */
    List<Timing> measure(List<? extends Workload> workloads) {
        workloads.forEach(this::warmUp);
        List<Samples> samples = workloads.stream().map(Samples::new).toList();
        long start = nanoClock.getAsLong();
        Optional<Samples> next = next(samples, 0);
        while (next.isPresent()) {
            addSlice(next.get());
            next = next(samples, nanosSince(start));
        }
        return samples.stream().map(Samples::timing).toList();
    }

    private void warmUp(Workload workload) {
        long start = nanoClock.getAsLong();
        int runs = 0;
        do {
            workload.run(runs++ % workload.parts());
        } while (nanosSince(start) < limits.warmUp().toNanos());
    }

    private Optional<Samples> next(List<Samples> samples, long nanos) {
        Predicate<Samples> wanting = Samples::isEmpty;
        if (nanos < limits.total().toNanos()) {
            wanting = workload -> true;
        } else if (nanos < limits.total().plus(limits.overtime()).toNanos()) {
            wanting = Samples::isPartial;
        }
        return samples.stream().filter(wanting).min(Comparator.comparingLong(Samples::nanos));
    }

    /** Repeats the next part of a workload for a slice's time. */
    private void addSlice(Samples samples) {
        int part = samples.nextPart();
        long start = nanoClock.getAsLong();
        long nanos;
        int repetitions = 0;
        do {
            samples.workload.run(part);
            repetitions++;
            nanos = nanosSince(start);
        } while (nanos < limits.slice().toNanos());
        samples.add(nanos, repetitions);
    }

    private long nanosSince(long start) {
        return nanoClock.getAsLong() - start;
    }
}
