package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.setun.cli.Timing.Part;

final class TimingTest {

    private static Timing of(long units, Double... seconds) {
        return new Timing(List.of(new Part(units, List.of(seconds))));
    }

    @Test
    void theRateIsThatOfTheMedianWhateverOutliersThereAre() {
        Timing timing = of(10, 2.0, 100.0, 1.0, 2.5, 2.0);

        assertThat(timing.rate()).isEqualTo(5);
        assertThat(timing.slowest()).isEqualTo(0.1);
        assertThat(timing.fastest()).isEqualTo(10);
        assertThat(timing.samples()).isEqualTo(5);
    }

    @Test
    void theMedianOfAnEvenNumberOfTimesLiesBetweenTheMiddleOnes() {
        assertThat(of(6, 9.0, 1.0, 2.0, 4.0).rate()).isEqualTo(2);
        assertThat(of(6, 4.0, 2.0).rate()).isEqualTo(2);
        assertThat(of(6, 4.0).rate()).isEqualTo(1.5);
    }

    @Test
    void theTimesOfTheWholeAreTheSumsOverItsParts() {
        Timing timing = new Timing(List.of(
                new Part(10, List.of(1.0, 3.0, 2.0)), new Part(10, List.of(6.0)), new Part(4, List.of(4.0, 8.0))));

        assertThat(timing.units()).isEqualTo(24);
        assertThat(timing.rate()).isEqualTo(24.0 / (2 + 6 + 6));
        assertThat(timing.slowest()).isEqualTo(24.0 / (3 + 6 + 8));
        assertThat(timing.fastest()).isEqualTo(24.0 / (1 + 6 + 4));
        assertThat(timing.samples()).isEqualTo(1);
    }

    @Test
    void whatWasNeverTimedIsRefused() {
        assertThatThrownBy(() -> new Timing(List.of())).hasMessage("expected a part that was timed");
        assertThatThrownBy(() -> new Part(1, List.of())).hasMessage("expected a time of the part");
    }
}
