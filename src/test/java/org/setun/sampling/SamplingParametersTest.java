package org.setun.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class SamplingParametersTest {

    private static final OptionalInt ALL = OptionalInt.empty();
    private static final SequenceBreakers NO_BREAKERS = SequenceBreakers.NONE;

    static Stream<Arguments> outOfRange() {
        return Stream.of(
                refused("temperature: expected 0 to 100, found -0.1", () -> plain(-0.1)),
                refused("temperature: expected 0 to 100, found NaN", () -> plain(Double.NaN)),
                refused("top_k: expected 0 or more, found -1", () -> new Cuts(-1, 1, 0, 1)),
                refused("top_p: expected more than 0 and at most 1, found 0.0", () -> new Cuts(0, 0, 0, 1)),
                refused("min_p: expected 0 to 1, found 1.5", () -> new Cuts(0, 1, 1.5, 1)),
                refused("typical_p: expected more than 0 and at most 1, found 0.0", () -> new Cuts(0, 1, 0, 0)),
                refused("dynatemp_range: expected 0 to 10, found -1.0", () -> new DynamicTemperature(-1, 1)),
                refused("dynatemp_exponent: expected 0 to 10, found 11.0", () -> new DynamicTemperature(1, 11)),
                refused("xtc_probability: expected 0 to 1, found 2.0", () -> new Xtc(2, 0.1)),
                refused("xtc_threshold: expected 0 to 1, found -1.0", () -> new Xtc(0.5, -1)),
                refused("mirostat: expected 0, 1 or 2, found 3", () -> new Mirostat(3, 5, 0.1)),
                refused("mirostat_tau: expected 0 to 100, found 101.0", () -> new Mirostat(1, 101, 0.1)),
                refused("mirostat_eta: expected 0 to 1, found 1.1", () -> new Mirostat(1, 5, 1.1)),
                refused(
                        "repetition_penalty: expected more than 0 and at most 10, found 0.0",
                        () -> new Penalties(0, 0, 0, ALL)),
                refused("presence_penalty: expected -2 to 2, found 2.1", () -> new Penalties(1, 2.1, 0, ALL)),
                refused("frequency_penalty: expected -2 to 2, found -3.0", () -> new Penalties(1, 0, -3, ALL)),
                refused(
                        "repeat_last_n: expected 0 or more, found -1",
                        () -> new Penalties(1, 0, 0, OptionalInt.of(-1))),
                refused("dry_multiplier: expected 0 to 100, found -1.0", () -> new Dry(-1, 2, 2, 9, NO_BREAKERS)),
                refused("dry_base: expected 1 to 100, found 0.5", () -> new Dry(1, 0.5, 2, 9, NO_BREAKERS)),
                refused("dry_allowed_length: expected 1 or more, found 0", () -> new Dry(1, 2, 0, 9, NO_BREAKERS)),
                refused("dry_penalty_last_n: expected 0 or more, found -1", () -> new Dry(1, 2, 2, -1, NO_BREAKERS)),
                refused(
                        "expected breakers of one token or more, found an empty one",
                        () -> new SequenceBreakers(List.of(List.of()))),
                refused(
                        "logit_bias[4]: expected -100 to 100, found 101.0",
                        () -> new TokenBias(Map.of(4, 101f), List.of())),
                refused(
                        "logit_bias: expected token ids of 0 or more, found -4",
                        () -> new TokenBias(Map.of(-4, 1f), List.of())),
                refused(
                        "bad_words: expected words of one token or more, found an empty one",
                        () -> new TokenBias(Map.of(), List.of(List.of()))));
    }

    @ParameterizedTest
    @MethodSource
    void outOfRange(String message, ThrowingCallable creation) {
        assertThatIllegalArgumentException().isThrownBy(creation).withMessage(message);
    }

    private static Arguments refused(String message, ThrowingCallable creation) {
        return Arguments.of(message, creation);
    }

    @Test
    void whatIsNotAskedForIsNeutral() {
        SamplingParameters plain = plain(0.7);
        assertThat(plain.changesLogits()).isFalse();
        assertThat(plain.usesMirostat()).isFalse();
        assertThat(plain.narrows(50)).isFalse();
        assertThat(plain.isGreedy()).isFalse();
    }

    @Test
    void whatHasNoEffectCostsNothing() {
        SamplingParameters plain = plain(0.7);
        assertThat(plain.withPenalties(new Penalties(1.3, 1, 1, OptionalInt.of(0)))
                        .changesLogits())
                .as("penalties over no tokens")
                .isFalse();
        assertThat(plain.withDry(new Dry(1, 2, 2, 0, NO_BREAKERS)).changesLogits())
                .isFalse();
        assertThat(plain.withXtc(new Xtc(1, 0.51)).narrows(50)).isFalse();
        assertThat(plain(0).withMirostat(new Mirostat(2, 5, 0.1)).usesMirostat())
                .isFalse();
        assertThat(plain.withCuts(new Cuts(50, 1, 0, 1)).narrows(50)).isFalse();
    }

    @Test
    void temperatureZeroIsGreedyUnlessItIsTheMiddleOfARange() {
        assertThat(plain(0).isGreedy()).isTrue();
        assertThat(plain(0).withCuts(new Cuts(5, 0.5, 0.1, 0.5)).isGreedy()).isTrue();
        assertThat(plain(0).withDynamicTemperature(new DynamicTemperature(0.5, 1))
                        .isGreedy())
                .isFalse();
    }

    private static SamplingParameters plain(double temperature) {
        return new SamplingParameters(temperature, 0, 1, OptionalLong.empty());
    }
}
