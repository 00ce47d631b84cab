package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ExpertUsageTest {

    private static final Random RANDOM = new Random(20261128);

    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5_000_000_000L);

    @Test
    void nothingIsSaidOfASpreadBeforeTheFirstLookup() {
        UsageSpread spread = usage(100).spread();

        assertThat(spread.used()).isZero();
        assertThat(spread.entropy()).isNaN();
        assertThat(spread.gini()).isNaN();
        assertThat(spread.topShare()).isNaN();
        assertThat(usage(100).top(10)).isEmpty();
    }

    @Test
    void anEvenSpreadHasFullEntropyAndNoGini() {
        ExpertUsage usage = usage(500);
        IntStream.range(0, 1500).forEach(i -> usage.add(i % 500, 1));

        UsageSpread spread = usage.spread();
        assertThat(spread.used()).isEqualTo(500);
        assertThat(spread.entropy()).isCloseTo(1, within(1e-12));
        assertThat(spread.gini()).isCloseTo(0, within(1e-12));
        assertThat(spread.topShare()).isCloseTo(0.01, within(1e-12));
    }

    @Test
    void oneExpertForAllHasNoEntropyAndTheGreatestGini() {
        ExpertUsage usage = usage(500);
        IntStream.range(0, 1500).forEach(i -> usage.add(17, 1));

        UsageSpread spread = usage.spread();
        assertThat(spread.used()).isOne();
        assertThat(spread.entropy()).isCloseTo(0, within(1e-12));
        assertThat(spread.gini()).isCloseTo(499.0 / 500, within(1e-12));
        assertThat(spread.topShare()).isOne();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 40, 2000, 100_000, 1_000_000_000})
    void aSpreadIsWhatTheDefinitionsSay(int largest) {
        for (int size : new int[] {1, 2, 99, 101, 3000}) {
            int[] counts = IntStream.range(0, size)
                    .map(i -> (int) (Math.pow(RANDOM.nextDouble(), 4) * (largest + 0.99)))
                    .toArray();
            counts[size / 2]++;
            UsageSpread spread = UsageSpread.of(size, expert -> counts[expert], 0);

            long total = Arrays.stream(counts).asLongStream().sum();
            double entropy = 0;
            double differences = 0;
            for (int a : counts) {
                double share = (double) a / total;
                entropy -= a == 0 ? 0 : share * Math.log(share);
                for (int b : counts) {
                    differences += Math.abs((double) a - b);
                }
            }
            // Values below 2048 are told apart; of greater ones the thousandth part.
            double error = largest < 2048 ? 1e-9 : 1e-5;
            assertThat(spread.entropy()).isCloseTo(size == 1 ? 1 : entropy / Math.log(size), within(error));
            assertThat(spread.gini()).isCloseTo(differences / (2.0 * size * total), within(error));
            long top = Arrays.stream(counts)
                    .boxed()
                    .sorted(Comparator.reverseOrder())
                    .limit(Math.ceilDiv(size, 100))
                    .mapToLong(Integer::longValue)
                    .sum();
            assertThat(spread.topShare()).isCloseTo((double) top / total, within(largest < 2048 ? 1e-9 : 1e-3));
        }
    }

    @Test
    void theLargestCountThereCanBeIsUnderstood() {
        long[] counts = {0xffff_ffffL, 1};

        UsageSpread spread = UsageSpread.of(2, expert -> counts[expert], 0);

        assertThat(spread.topShare()).isCloseTo(1, within(1e-9));
        assertThat(spread.used()).isEqualTo(2);
    }

    @Test
    void theMostUsedComeFirstAndOfEqualOnesTheLowerNumbers() {
        ExpertUsage usage = usage(50);
        for (int expert : new int[] {4, 9, 9, 2, 7, 7, 7, 3, 2}) {
            usage.add(expert, 1);
        }

        assertThat(usage.top(4))
                .containsExactly(
                        new ExpertUsage.Use(7, 3),
                        new ExpertUsage.Use(2, 2),
                        new ExpertUsage.Use(9, 2),
                        new ExpertUsage.Use(3, 1));
        assertThat(usage.top(100)).hasSize(5);
        assertThat(usage.top(0)).isEmpty();
    }

    @Test
    void distinctExpertsLeaveTheWindowWithTime() {
        ExpertUsage usage = usage(50);
        Duration minute = Duration.ofMinutes(1);
        usage.add(1, usage.second());
        usage.add(2, usage.second());
        clock.addAndGet(30_000_000_000L);
        usage.add(2, usage.second());
        usage.add(3, usage.second());
        assertThat(usage.distinct(minute)).isEqualTo(3);

        clock.addAndGet(30_000_000_000L);
        assertThat(usage.distinct(minute)).isEqualTo(2);
        clock.addAndGet(30_000_000_000L);
        assertThat(usage.distinct(minute)).isZero();
        assertThat(usage.distinct(Duration.ofMinutes(10))).isEqualTo(3);
    }

    @Test
    void aSpreadIsKeptForFiveSeconds() {
        ExpertUsage usage = usage(50);
        usage.add(1, 1);
        assertThat(usage.spread().used()).isOne();
        usage.add(2, 1);
        assertThat(usage.spread().used()).isOne();

        clock.addAndGet(5_000_000_000L);
        assertThat(usage.spread().used()).isEqualTo(2);
    }

    @Test
    void aRateIsThatOfTheLastTenSeconds() {
        RecentRate rate = new RecentRate(clock::get);
        assertThat(rate.perSecond()).isNaN();
        rate.add(1000, 500_000_000);
        assertThat(rate.perSecond()).isEqualTo(2000);
        clock.addAndGet(5_000_000_000L);
        rate.add(7000, 500_000_000);
        assertThat(rate.perSecond()).isEqualTo(8000);
        clock.addAndGet(6_000_000_000L);
        assertThat(rate.perSecond()).isEqualTo(14000);
        clock.addAndGet(10_000_000_000L);
        assertThat(rate.perSecond()).isNaN();
        rate.add(1, 1_000_000_000);
        assertThat(rate.perSecond()).isEqualTo(1);
    }

    private ExpertUsage usage(int count) {
        return new ExpertUsage(3, count, 4, clock::get);
    }
}
