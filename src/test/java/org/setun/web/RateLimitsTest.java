package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineRejectedException.Reason;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.Prompt;
import org.setun.generation.Usage;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatMessage;

final class RateLimitsTest {

    private static final int DEFAULT_MAX_TOKENS = 16;
    private static final ApiKeys KEYS = ApiKeys.of(Map.of("alice", "a-key", "bob", "b-key"), null);

    private final ManualTime time = new ManualTime();
    private final List<Consumer<GenerationEvent>> running = new ArrayList<>();

    @Test
    void requestsAreCountedByKeyAndComeBackEvenly() {
        RateLimits limits = limits(KEYS, new Rates(60, 0), Map.of());
        CallerLimits alice = limits.of(Optional.of("alice"));

        for (int i = 0; i < 60; i++) {
            alice.takeRequest();
        }
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(alice::takeRequest)
                .withMessage(
                        "requests: expected at most 60 in a minute from the key 'alice', found one more; try again in 1s")
                .satisfies(e -> {
                    assertThat(e.body().error().code()).isEqualTo("rate_limit_exceeded");
                    assertThat(e.body().error().type()).isEqualTo("rate_limit_error");
                    assertThat(e.status().value()).isEqualTo(429);
                    assertThat(e.headers().getFirst("Retry-After")).isEqualTo("1");
                });
        assertThat(alice.requests()).hasValue(new RateBucket.Level(60, 0, Duration.ofMinutes(1)));
        assertThatCode(limits.of(Optional.of("bob"))::takeRequest).doesNotThrowAnyException();

        time.advance(Duration.ofSeconds(2));
        alice.takeRequest();
        assertThat(alice.requests()).hasValue(new RateBucket.Level(60, 1, Duration.ofSeconds(59)));
        time.advance(Duration.ofHours(1));
        assertThat(alice.requests()).hasValue(new RateBucket.Level(60, 60, Duration.ZERO));
    }

    @Test
    void withoutKeysAllClientsShareTheLimits() {
        RateLimits limits = limits(ApiKeys.none(), new Rates(1, 0), Map.of());
        limits.of(Optional.empty()).takeRequest();

        assertThatThrownBy(limits.of(Optional.empty())::takeRequest)
                .hasMessageContaining("from all clients together")
                .hasMessageEndingWith("try again in 1m0s");
    }

    @Test
    void aKeyMayHaveRatesOfItsOwn() {
        RateLimits limits = limits(KEYS, new Rates(1, 5), Map.of("bob", Rates.UNLIMITED));

        assertThat(limits.of(Optional.of("alice")).requests()).isPresent();
        assertThat(limits.of(Optional.of("bob")).requests()).isEmpty();
        assertThat(limits.of(Optional.of("bob")).tokens()).isEmpty();
    }

    @Test
    void ratesOfAKeyThatIsNotThereAreAFault() {
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> limits(ApiKeys.none(), Rates.UNLIMITED, Map.of("eve", new Rates(1, 1))))
                .withMessage(
                        "setun.server.key-limits.eve: expected the name of a key, of which there are none, found 'eve'");
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> limits(
                        ApiKeys.of(Map.of("alice", "a-key"), null), Rates.UNLIMITED, Map.of("eve", new Rates(1, 1))))
                .withMessage("setun.server.key-limits.eve: expected the name of a key, one of alice, found 'eve'");
    }

    @Test
    void theRealUsageReplacesTheEstimate() throws Exception {
        CallerLimits caller = anonymous(1000);

        start(caller, request(new Prompt.Text("x".repeat(40)), OptionalInt.of(100)));
        assertThat(remaining(caller)).isEqualTo(1000 - 10 - 100);

        end(new GenerationEvent.Text("some"));
        assertThat(remaining(caller)).isEqualTo(890);
        end(new GenerationEvent.Finished(FinishReason.STOP, new Usage(7, 3)));
        assertThat(remaining(caller)).isEqualTo(990);
    }

    @Test
    void aClientThatLeavesPaysForWhatItGot() throws Exception {
        CallerLimits caller = anonymous(1000);
        start(caller, request(new Prompt.Text("x"), OptionalInt.of(500)));

        end(new GenerationEvent.Finished(FinishReason.CANCELLED, new Usage(1, 4)));

        assertThat(remaining(caller)).isEqualTo(995);
    }

    @Test
    void aFaultOfTheServerCostsNothing() throws Exception {
        CallerLimits caller = anonymous(1000);
        start(caller, request(new Prompt.Text("x"), OptionalInt.empty()));

        end(new GenerationEvent.Failed(new IllegalStateException("a fault")));

        assertThat(remaining(caller)).isEqualTo(1000);
    }

    @Test
    void whatIsNotStartedCostsNothing() {
        CallerLimits caller = anonymous(1000);
        GenerationRequest request = request(new Prompt.Text("x"), OptionalInt.of(100));
        Generator second = (ignored, events) -> {
            if (running.size() == 1) {
                throw new EngineRejectedException(Reason.QUEUE_FULL, Duration.ofSeconds(1), "full");
            }
            running.add(events);
            return () -> {};
        };

        assertThatThrownBy(() -> {
                    try (TokenReservation tokens = caller.reserve(List.of(request, request, request))) {
                        assertThat(remaining(caller)).isEqualTo(1000 - 303);
                        tokens.start(second, request, event -> {});
                        tokens.start(second, request, event -> {});
                    }
                })
                .isInstanceOf(EngineRejectedException.class);

        assertThat(remaining(caller)).isEqualTo(1000 - 101);
        end(new GenerationEvent.Finished(FinishReason.CANCELLED, new Usage(1, 0)));
        assertThat(remaining(caller)).isEqualTo(999);
    }

    @Test
    void anEstimateThatWasTooLowIsPaidLater() throws Exception {
        CallerLimits caller = anonymous(60);
        start(caller, request(new Prompt.Text("x"), OptionalInt.of(5)));

        end(new GenerationEvent.Finished(FinishReason.STOP, new Usage(85, 5)));

        assertThat(caller.tokens()).hasValue(new RateBucket.Level(60, 0, Duration.ofSeconds(90)));
        assertThatThrownBy(() -> caller.reserve(List.of(request(new Prompt.Text("x"), OptionalInt.of(9)))))
                .hasMessage("tokens: expected at most 60 in a minute from all clients together, found about 10 in this"
                        + " request while 0 are left; try again in 40s");
        time.advance(Duration.ofSeconds(40));
        assertThatCode(() -> caller.reserve(List.of(request(new Prompt.Text("x"), OptionalInt.of(9)))))
                .doesNotThrowAnyException();
    }

    @Test
    void aRequestThatCanNeverFitIsToldSo() {
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> anonymous(60)
                        .reserve(List.of(request(new Prompt.Text("x"), OptionalInt.of(Integer.MAX_VALUE)))))
                .withMessage(
                        "tokens: expected at most 60 in a minute from all clients together, found about 2147483648 in"
                                + " this request alone; shorten the prompt or lower max_tokens")
                .satisfies(e -> assertThat(e.headers().getFirst("Retry-After")).isNull());
    }

    @Test
    void promptsAreEstimatedByTheirBytesAndCountedByTheirTokens() {
        assertThat(estimate(new Prompt.Text(""))).isEqualTo(DEFAULT_MAX_TOKENS);
        assertThat(estimate(new Prompt.Text("12345"))).isEqualTo(2 + DEFAULT_MAX_TOKENS);
        assertThat(estimate(new Prompt.Text("日本語"))).isEqualTo(3 + DEFAULT_MAX_TOKENS);
        assertThat(estimate(new Prompt.Tokens(List.of(1, 2, 3, 4, 5)))).isEqualTo(5 + DEFAULT_MAX_TOKENS);
        assertThat(estimate(new Prompt.Chat(
                        List.of(new ChatMessage("user", "1234"), new ChatMessage("assistant", "1234567")))))
                .isEqualTo(2 + 4 + DEFAULT_MAX_TOKENS);
    }

    @ParameterizedTest
    @CsvSource({
        "PT0S, 0s",
        "PT0.000000001S, 1ms",
        "PT0.0171S, 18ms",
        "PT0.9991S, 1s",
        "PT1S, 1s",
        "PT59.2S, 1m0s",
        "PT6M, 6m0s",
        "PT1M1.001S, 1m2s",
        "PT61M3S, 61m3s"
    })
    void durationsAreWrittenAsOpenAiDoes(Duration duration, String text) {
        assertThat(RateHeaders.text(duration)).isEqualTo(text);
    }

    private CallerLimits anonymous(int tokensPerMinute) {
        return limits(ApiKeys.none(), new Rates(0, tokensPerMinute), Map.of()).of(Optional.empty());
    }

    private RateLimits limits(ApiKeys keys, Rates common, Map<String, Rates> special) {
        return new RateLimits(keys, common, special, DEFAULT_MAX_TOKENS, time);
    }

    private void start(CallerLimits caller, GenerationRequest request) throws Exception {
        try (TokenReservation tokens = caller.reserve(List.of(request))) {
            tokens.start(
                    (ignored, events) -> {
                        running.add(events);
                        return () -> {};
                    },
                    request,
                    event -> {});
        }
    }

    private void end(GenerationEvent event) {
        running.getFirst().accept(event);
    }

    private static long remaining(CallerLimits caller) {
        return caller.tokens().orElseThrow().remaining();
    }

    private static long estimate(Prompt prompt) {
        return TokenReservation.estimate(request(prompt, OptionalInt.empty()), DEFAULT_MAX_TOKENS);
    }

    private static GenerationRequest request(Prompt prompt, OptionalInt maxTokens) {
        return new GenerationRequest("r", prompt, maxTokens, SamplingParameters.GREEDY, List.of());
    }
}
