package org.setun.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class ArrivalsTest {

    private static List<Long> times(Arrivals arrivals, long seed) {
        List<Long> times = new ArrayList<>();
        arrivals.times(seed).forEachRemaining(times::add);
        return times;
    }

    @Test
    void timesBetweenRequestsAreExponential() {
        List<Long> times = times(new Arrivals(50, OptionalInt.of(40_000), null), 3);
        assertThat(times).hasSize(40_000).isSorted();
        double mean = times.getLast() / 1e9 / times.size();
        assertThat(mean).isCloseTo(0.02, within(0.0004));
        // Of exponential times, the deviation is the mean, and a share of 1/e is longer.
        double squares = 0;
        int longer = 0;
        for (int i = 1; i < times.size(); i++) {
            double gap = (times.get(i) - times.get(i - 1)) / 1e9;
            squares += (gap - mean) * (gap - mean);
            longer += gap > mean ? 1 : 0;
        }
        assertThat(Math.sqrt(squares / times.size())).isCloseTo(0.02, within(0.0006));
        assertThat((double) longer / times.size()).isCloseTo(1 / Math.E, within(0.01));
    }

    @Test
    void theSeedDecides() {
        Arrivals arrivals = new Arrivals(2, OptionalInt.of(10), null);
        assertThat(times(arrivals, 1)).isEqualTo(times(arrivals, 1)).isNotEqualTo(times(arrivals, 2));
    }

    @Test
    void aDurationEndsThem() {
        List<Long> times = times(new Arrivals(1000, OptionalInt.empty(), Duration.ofSeconds(2)), 1);
        assertThat(times).hasSizeBetween(1800, 2200).allMatch(time -> time < 2_000_000_000L);
        assertThat(times(new Arrivals(1000, OptionalInt.of(5), Duration.ofSeconds(2)), 1))
                .hasSize(5);
    }

    @Test
    void withoutARateAllComeAtOnce() {
        assertThat(times(new Arrivals(Double.POSITIVE_INFINITY, OptionalInt.of(3), null), 1))
                .containsExactly(0L, 0L, 0L);
    }

    @Test
    void endlessArrivalsAreRefused() {
        assertThatThrownBy(() -> new Arrivals(1, OptionalInt.empty(), null))
                .hasMessage("expected a number of requests or a duration, found neither");
        assertThatThrownBy(() -> new Arrivals(Double.POSITIVE_INFINITY, OptionalInt.empty(), Duration.ofSeconds(1)))
                .hasMessageContaining("found only a duration");
        assertThatThrownBy(() -> new Arrivals(0, OptionalInt.of(1), null)).hasMessageContaining("found 0.0");
    }
}
