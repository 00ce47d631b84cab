package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.engine.Ending;
import org.setun.engine.Engine;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.engine.FinishReason;
import org.setun.engine.Urgency;
import org.setun.sampling.Dry;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.SequenceBreakers;
import org.setun.sampling.TokenBias;

@Timeout(60)
final class TokenRulesTest {

    private static final String TEXT = "one two three, one two three.";
    private static final int VOCAB = ByteTokenizer.VOCAB;

    private final ByteTokenizer tokenizer = new ByteTokenizer(false);
    private final RuleTokens tokens = new RuleTokens(tokenizer, VOCAB, Set.of(ByteTokenizer.EOS));

    @AutoClose
    private final Engine engine = new Engine(
            new RecitingModel(
                    VOCAB,
                    IntStream.concat(IntStream.of(tokenizer.encode(TEXT, false)), IntStream.of(ByteTokenizer.EOS))
                            .toArray()),
            new EngineSettings(
                    new EngineSettings.QueueLimits(8, 10_000),
                    new EngineSettings.BatchLimits(2, 16, 2),
                    new EngineSettings.MemoryLimits(0, 0),
                    Duration.ofSeconds(20)),
            EngineObserver.NONE);

    @Test
    void theModelsEndCanBePutOffOrIgnored() throws Exception {
        GenerationEvent.Finished plain = generate(TEXT.substring(0, 20), TokenRules.NONE);
        assertThat(plain).isEqualTo(new GenerationEvent.Finished(FinishReason.STOP, new Usage(20, 10)));

        GenerationEvent.Finished late = generate(TEXT.substring(0, 20), rules(15, false, Set.of()));
        assertThat(late.usage().completionTokens()).isGreaterThan(15);

        GenerationEvent.Finished never = generate(TEXT.substring(0, 20), rules(0, true, Set.of()));
        assertThat(never).isEqualTo(new GenerationEvent.Finished(FinishReason.LENGTH, new Usage(20, 40)));
    }

    @Test
    void aRequestsOwnStopTokensEndItToo() throws Exception {
        // The comma is the fourteenth character.
        assertThat(generate("one", rules(0, true, Set.of((int) ','))))
                .isEqualTo(new GenerationEvent.Finished(FinishReason.STOP, new Usage(3, 11)));
    }

    @Test
    void endingsAndBiasesAreTheRequestsAndTheModels() throws Exception {
        assertThat(tokens.ending(rules(2, false, Set.of(5)), 9))
                .isEqualTo(new Ending(9, 2, Set.of(5, ByteTokenizer.EOS)));
        TokenRules rules = new TokenRules(
                0, true, Set.of(), Map.of(7, 1f, 97, 2f), Map.of("aab", -3f, "c", 99.5f), List.of(), List.of());
        assertThat(sampling(SamplingParameters.GREEDY, rules).bias().byId())
                .isEqualTo(Map.of(7, 1f, 97, -1f, 98, -3f, 99, 99.5f, ByteTokenizer.EOS, Float.NEGATIVE_INFINITY));
        assertThat(sampling(SamplingParameters.GREEDY, TokenRules.NONE)).isEqualTo(SamplingParameters.GREEDY);
    }

    @Test
    void badWordsAreBannedAsTokens() throws Exception {
        TokenRules rules = new TokenRules(0, false, Set.of(), Map.of(), Map.of(), List.of("ab", " c", " "), List.of());
        // Every byte is a token here, so a word within a text has one more than at the beginning, and stays the same.
        assertThat(sampling(SamplingParameters.GREEDY, rules).bias())
                .isEqualTo(new TokenBias(Map.of(), List.of(List.of(97, 98), List.of(99), List.of(32))));
    }

    @Test
    void breakersAreTheTokensInWhichATextCanAppear() throws Exception {
        SamplingParameters dry = SamplingParameters.GREEDY.withDry(new Dry(1, 2, 2, 100, SequenceBreakers.NONE));
        TokenRules rules = new TokenRules(0, false, Set.of(), Map.of(), Map.of(), List.of(), List.of("\n", "abc", "$"));
        assertThat(sampling(dry, rules).dry().breakers())
                .isEqualTo(new SequenceBreakers(
                        List.of(List.of(10), List.of(97, 98, 99), List.of((int) '$'), List.of(ByteTokenizer.EOS))));
        // The same object again: looking at the vocabulary is expensive.
        assertThat(sampling(dry, rules).dry().breakers())
                .isSameAs(sampling(dry, rules).dry().breakers());
        assertThat(sampling(SamplingParameters.GREEDY, rules)).isEqualTo(SamplingParameters.GREEDY);
    }

    @Test
    void whatTheModelCannotDoIsRefusedByItsField() {
        assertRefused(
                "logit_bias",
                "logit_bias: expected ids of this model's tokens, from 0 to 257, found 258",
                new TokenRules(0, false, Set.of(), Map.of(258, 1f), Map.of(), List.of(), List.of()));
        assertRefused(
                "stop_token_ids",
                "stop_token_ids: expected ids of this model's tokens, from 0 to 257, found 300",
                rules(0, false, Set.of(300)));
        assertRefused(
                "min_tokens",
                "min_tokens: expected at most 40, the number of tokens that the answer may have, found 41",
                rules(41, false, Set.of()));
    }

    private void assertRefused(String field, String message, TokenRules rules) {
        assertThatExceptionOfType(InvalidPromptException.class)
                .isThrownBy(() -> generate("one", rules))
                .withMessage(message)
                .satisfies(e -> {
                    assertThat(e.field()).hasValue(field);
                    assertThat(e.code()).isEqualTo("invalid_value");
                });
    }

    private static TokenRules rules(int minTokens, boolean ignoreEos, Set<Integer> stopTokens) {
        return new TokenRules(minTokens, ignoreEos, stopTokens, Map.of(), Map.of(), List.of(), List.of());
    }

    private SamplingParameters sampling(SamplingParameters sampling, TokenRules rules) throws InvalidPromptException {
        return tokens.sampling(request("x", sampling, rules));
    }

    private static GenerationRequest request(String prompt, SamplingParameters sampling, TokenRules rules) {
        return new GenerationRequest(
                "a",
                new Prompt.Text(prompt),
                OptionalInt.of(40),
                sampling,
                List.of(),
                0,
                rules,
                AnswerDetails.NONE,
                Urgency.NORMAL);
    }

    private GenerationEvent.Finished generate(String prompt, TokenRules rules) throws Exception {
        CompletableFuture<GenerationEvent.Finished> end = new CompletableFuture<>();
        GenerationSettings settings = new GenerationSettings(100, 40, Set.of(ByteTokenizer.EOS));
        new EngineGenerator(engine, tokenizer, settings)
                .start(request(prompt, SamplingParameters.GREEDY, rules), event -> {
                    if (event instanceof GenerationEvent.Finished finished) {
                        end.complete(finished);
                    } else if (event instanceof GenerationEvent.Failed failed) {
                        end.completeExceptionally(failed.cause());
                    }
                });
        return end.get(20, TimeUnit.SECONDS);
    }
}
