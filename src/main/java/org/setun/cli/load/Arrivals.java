package org.setun.cli.load;

import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * When requests are sent, whatever becomes of those before: as independent users do, with exponential times between them, which
 * makes their number in any time a Poisson one.
 *
 * @param rate requests a second on average; infinite to send all at once
 * @param requests how many; empty for as many as there are in {@code duration}
 * @param duration the time in which they are sent; null for as long as {@code requests} take
 */
public record Arrivals(
        double rate, OptionalInt requests, @Nullable Duration duration) {

    private static final double NANOS = 1e9;

    public Arrivals {
        if (!(rate > 0)) {
            throw new IllegalArgumentException("expected more than 0 requests a second, or inf, found " + rate);
        }
        if (requests.isEmpty() && duration == null) {
            throw new IllegalArgumentException("expected a number of requests or a duration, found neither");
        }
        if (Double.isInfinite(rate) && requests.isEmpty()) {
            throw new IllegalArgumentException("expected a number of requests to send at once, found only a duration");
        }
    }

    /** Returns whether all requests are sent at once. */
    boolean atOnce() {
        return Double.isInfinite(rate);
    }

    /** Returns a line on how much is sent and how long that takes. */
    String extent() {
        if (atOnce()) {
            return "sending " + requests.orElse(0) + " requests at once";
        }
        double expected = requests.isPresent() ? requests.getAsInt() / rate : Double.POSITIVE_INFINITY;
        double allowed = duration == null ? Double.POSITIVE_INFINITY : duration.toNanos() / NANOS;
        return "sending %.3g requests/s for about %.0f s".formatted(rate, Math.min(expected, allowed));
    }

    /** Returns the times at which to send, in nanoseconds from the start; the same for the same seed. */
    Iterator<Long> times(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return new Iterator<>() {
            private int count;
            private double seconds = gap();

            private double gap() {
                return atOnce() ? 0 : -Math.log1p(-random.nextDouble()) / rate;
            }

            @Override
            public boolean hasNext() {
                return count < requests.orElse(Integer.MAX_VALUE)
                        && (duration == null || seconds * NANOS < duration.toNanos());
            }

            @Override
            public Long next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                long time = (long) (seconds * NANOS);
                seconds += gap();
                count++;
                return time;
            }
        };
    }
}
