package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class CompletionRateTest {

    @Test
    void withoutAMeasurementTheWaitIsTheShortest() {
        assertThat(new CompletionRate(4).untilStarted(1000)).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void theWaitIsTheQueueOverTheRateRoundedUp() {
        CompletionRate rate = new CompletionRate(4);
        for (int i = 0; i < 10; i++) {
            rate.completed(2.0);
        }
        // Four places, two seconds each: two requests a second.
        assertThat(rate.untilStarted(9)).isEqualTo(Duration.ofSeconds(5));
        assertThat(rate.untilStarted(1)).isEqualTo(Duration.ofSeconds(1));
        assertThat(rate.untilStarted(1_000_000)).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void theMeanFollowsAChange() {
        CompletionRate rate = new CompletionRate(1);
        rate.completed(1.0);
        for (int i = 0; i < 100; i++) {
            rate.completed(10.0);
        }
        assertThat(rate.untilStarted(2)).isEqualTo(Duration.ofSeconds(20));
    }
}
