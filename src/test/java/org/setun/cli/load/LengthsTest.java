package org.setun.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LengthsTest {

    private static int[] draw(String text) {
        Lengths lengths = Lengths.parse(text);
        assertThat(lengths).hasToString(text);
        SplittableRandom random = new SplittableRandom(1);
        return random.ints(20_000).map(i -> lengths.next(random)).toArray();
    }

    @Test
    void aNumberIsThatMany() {
        assertThat(draw("512")).containsOnly(512);
    }

    @Test
    void uniformLengthsHaveBothEnds() {
        int[] lengths = draw("uniform:3-6");
        assertThat(lengths).containsOnly(3, 4, 5, 6);
        assertThat(Arrays.stream(lengths).average().orElseThrow()).isCloseTo(4.5, within(0.05));
        assertThat(draw("uniform:7-7")).containsOnly(7);
    }

    @Test
    void logNormalLengthsHaveTheMeanAndTheDeviation() {
        int[] lengths = draw("lognormal:500.0,0.6");
        assertThat(Arrays.stream(lengths).average().orElseThrow()).isCloseTo(500, within(10.0));
        double meanLog = Arrays.stream(lengths).mapToDouble(Math::log).average().orElseThrow();
        double variance = Arrays.stream(lengths)
                .mapToDouble(length -> (Math.log(length) - meanLog) * (Math.log(length) - meanLog))
                .average()
                .orElseThrow();
        assertThat(Math.sqrt(variance)).isCloseTo(0.6, within(0.02));
        assertThat(Arrays.stream(draw("lognormal:2.0,3.0")).min()).hasValue(1);
        assertThat(draw("lognormal:64.0,0.0")).containsOnly(64);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "-1",
                "1048577",
                "many",
                "1.5",
                "uniform",
                "uniform:",
                "uniform:5",
                "uniform:9-3",
                "uniform:0-3",
                "uniform:1-1048577",
                "uniform:a-b",
                "lognormal:100",
                "lognormal:0.5,1",
                "lognormal:100,-1",
                "lognormal:100,6",
                "lognormal:NaN,1",
                "lognormal:100,NaN",
                "normal:1,2"
            })
    void whatIsNoLengthIsRefused(String text) {
        assertThatThrownBy(() -> Lengths.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("expected ")
                .hasMessageContaining("found ");
    }
}
