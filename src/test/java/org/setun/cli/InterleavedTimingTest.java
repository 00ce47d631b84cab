package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.setun.cli.InterleavedTiming.Limits;
import org.setun.cli.Timing.Part;

/** Timing by a clock that only the workloads move. */
final class InterleavedTimingTest {

    private static final Limits ONCE = new Limits(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);

    private final List<String> ran = new ArrayList<>();
    private long nanos;

    /** A workload whose {@code n}-th run, counted from 0, takes {@code nanosOf(n)}. */
    private final class Scripted implements Workload {

        private final String name;
        private final int parts;
        private final LongUnaryOperator nanosOf;
        private int runs;

        Scripted(String name, int parts, LongUnaryOperator nanosOf) {
            this.name = name;
            this.parts = parts;
            this.nanosOf = nanosOf;
        }

        @Override
        public int parts() {
            return parts;
        }

        @Override
        public long units(int part) {
            return 1000L + part;
        }

        @Override
        public void run(int part) {
            ran.add(name + part);
            nanos += nanosOf.applyAsLong(runs++);
        }
    }

    private List<Timing> measure(Limits limits, Workload... workloads) {
        return new InterleavedTiming(limits, () -> nanos).measure(List.of(workloads));
    }

    @Test
    void workloadsTakeTurnsPartByPartAfterAllAreWarm() {
        Limits limits = new Limits(Duration.ZERO, Duration.ZERO, Duration.ofNanos(10), Duration.ZERO);
        List<Timing> timings = measure(limits, new Scripted("a", 3, n -> 1), new Scripted("b", 1, n -> 1));

        assertThat(ran).containsExactly("a0", "b0", "a0", "b0", "a1", "b0", "a2", "b0", "a0", "b0", "a1", "b0");
        assertThat(timings.get(0).parts())
                .containsExactly(
                        new Part(1000, List.of(1e-9, 1e-9)),
                        new Part(1001, List.of(1e-9, 1e-9)),
                        new Part(1002, List.of(1e-9)));
        assertThat(timings.get(1).parts()).containsExactly(new Part(1000, Collections.nCopies(5, 1e-9)));
    }

    @Test
    void everyWorkloadIsTimedHoweverLongItTakesButOnlyThePartsThatTheTimeSufficesFor() {
        List<Timing> timings = measure(ONCE, new Scripted("a", 4, n -> 1_000_000), new Scripted("b", 1, n -> 5));
        assertThat(timings.get(0).parts()).containsExactly(new Part(1000, List.of(1e-3)));
        assertThat(timings.get(1).parts()).containsExactly(new Part(1000, List.of(5e-9)));

        Limits limits = new Limits(Duration.ZERO, Duration.ZERO, Duration.ofNanos(1_500_000), Duration.ZERO);
        Timing timing = measure(limits, new Scripted("a", 4, n -> 1_000_000)).getFirst();
        assertThat(timing.parts()).containsExactly(new Part(1000, List.of(1e-3)), new Part(1001, List.of(1e-3)));
        assertThat(timing.rate()).isCloseTo(2001 / 2e-3, within(1e-6));
    }

    @Test
    void theNextTurnIsThatOfTheWorkloadWhichHasHadTheLeastTime() {
        Limits limits = new Limits(Duration.ZERO, Duration.ZERO, Duration.ofNanos(22), Duration.ZERO);
        List<Timing> timings = measure(limits, new Scripted("a", 1, n -> 5), new Scripted("b", 1, n -> 1));

        assertThat(String.join(" ", ran)).isEqualTo("a0 b0 a0 b0 b0 b0 b0 b0 a0 b0 b0 b0 b0 b0 a0");
        assertThat(timings.get(0).samples()).isEqualTo(3);
        assertThat(timings.get(1).samples()).isEqualTo(10);
    }

    @Test
    void onlyWorkloadsOfWhichAPartIsMissingGetOvertime() {
        Limits limits = new Limits(Duration.ZERO, Duration.ZERO, Duration.ofNanos(25), Duration.ofNanos(25));
        Scripted prompt = new Scripted("a", 3, n -> 10);
        List<Timing> timings = measure(limits, prompt, new Scripted("b", 1, n -> 10));

        assertThat(ran).containsExactly("a0", "b0", "a0", "b0", "a1", "a2");
        assertThat(timings.get(0).units()).isEqualTo(1000 + 1001 + 1002);
        nanos = 0;
        ran.clear();
        Timing cut = measure(limits, new Scripted("a", 9, n -> 10)).getFirst();
        assertThat(cut.units()).as("fifty nanoseconds").isEqualTo(1000 + 1001 + 1002 + 1003 + 1004);
    }

    @Test
    void warmingUpGoesThroughTheParts() {
        measure(
                new Limits(Duration.ofNanos(50), Duration.ZERO, Duration.ZERO, Duration.ZERO),
                new Scripted("a", 3, n -> 10));

        assertThat(ran).containsExactly("a0", "a1", "a2", "a0", "a1", "a0");
    }

    @Test
    void whatIsSlowBeforeItIsCompiledDoesNotCount() {
        Limits limits = new Limits(Duration.ofNanos(5000), Duration.ZERO, Duration.ofNanos(100), Duration.ZERO);
        Timing timing =
                measure(limits, new Scripted("a", 1, n -> n < 5 ? 1000 : 10)).getFirst();

        assertThat(timing.slowest()).isEqualTo(timing.fastest());
        assertThat(timing.rate()).isCloseTo(1000 / 10e-9, within(1.0));
        assertThat(timing.samples()).isEqualTo(10);
    }

    @Test
    void aDisturbanceHitsAllWorkloadsAlikeAndLeavesTheMedians() {
        Limits limits = new Limits(Duration.ZERO, Duration.ZERO, Duration.ofNanos(2000), Duration.ZERO);
        // Runs 10 to 14 of each are those of the same rounds.
        LongUnaryOperator disturbed = n -> n >= 10 && n < 15 ? 100 : 10;
        List<Timing> timings = measure(limits, new Scripted("a", 1, disturbed), new Scripted("b", 1, disturbed));

        assertThat(timings).allSatisfy(timing -> {
            assertThat(timing.rate()).isCloseTo(1000 / 10e-9, within(1.0));
            assertThat(timing.slowest()).isCloseTo(1000 / 100e-9, within(1.0));
            assertThat(Collections.frequency(timing.parts().getFirst().seconds(), 100e-9))
                    .isEqualTo(5);
        });
    }

    @Test
    void aSampleIsTheMeanOfAsManyRepetitionsAsFillTheSlice() {
        Limits limits = new Limits(Duration.ZERO, Duration.ofNanos(95), Duration.ZERO, Duration.ZERO);
        Timing timing =
                measure(limits, new Scripted("a", 1, n -> n % 2 == 0 ? 9 : 11)).getFirst();

        assertThat(ran).as("one to warm up, ten that are timed").hasSize(11);
        assertThat(timing.parts()).containsExactly(new Part(1000, List.of(10e-9)));
    }
}
