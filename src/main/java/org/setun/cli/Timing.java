package org.setun.cli;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * How long the parts of a {@link Workload} took: those that were timed.
 *
 * @param parts at least one
 */
record Timing(List<Part> parts) {

    Timing {
        parts = List.copyOf(parts);
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("expected a part that was timed");
        }
    }

    /**
     * How long a part took.
     *
     * @param units how many units it is
     * @param seconds its times, at least one
     */
    record Part(long units, List<Double> seconds) {

        Part {
            seconds = seconds.stream().sorted().toList();
            if (seconds.isEmpty()) {
                throw new IllegalArgumentException("expected a time of the part");
            }
        }

        private double median() {
            int size = seconds.size();
            return (seconds.get((size - 1) / 2) + seconds.get(size / 2)) / 2;
        }
    }

    /** Returns how many units all parts are. */
    long units() {
        return parts.stream().mapToLong(Part::units).sum();
    }

    /** Returns the units a second if every part takes its median time. */
    double rate() {
        return rate(Part::median);
    }

    /** Returns the units a second if every part takes the longest time that it took. */
    double slowest() {
        return rate(part -> part.seconds.getLast());
    }

    /** Returns the units a second if every part takes the shortest time that it took. */
    double fastest() {
        return rate(part -> part.seconds.getFirst());
    }

    private double rate(ToDoubleFunction<Part> seconds) {
        return units() / parts.stream().mapToDouble(seconds).sum();
    }

    /** Returns how often the part that was timed least was timed. */
    int samples() {
        return parts.stream().mapToInt(part -> part.seconds.size()).reduce(Integer.MAX_VALUE, Math::min);
    }
}
