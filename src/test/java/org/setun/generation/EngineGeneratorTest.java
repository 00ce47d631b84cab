package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.engine.Engine;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.engine.EngineStatus;
import org.setun.engine.FinishReason;
import org.setun.engine.Urgency;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatMessage;

@Timeout(60)
final class EngineGeneratorTest {

    /** What the model recites, the beginning-of-sequence token before it and the end-of-sequence token after it. */
    private static final String TEXT = "In Moskau, 1958: eine Rechenmaschine für −1, 0 und +1.";

    private static final int CONTEXT = 100;

    @AutoClose
    private final Engine engine = new Engine(
            new RecitingModel(ByteTokenizer.VOCAB, recited()),
            new EngineSettings(
                    new EngineSettings.QueueLimits(8, 10_000),
                    new EngineSettings.BatchLimits(2, 16, 2),
                    new EngineSettings.MemoryLimits(0, 0),
                    Duration.ofSeconds(20)),
            EngineObserver.NONE);

    @Test
    void aTextIsContinuedAfterItsBeginningOfSequenceToken() throws Exception {
        Answer answer = generate(new Prompt.Text("In Moskau, "), OptionalInt.empty());
        assertThat(answer.text()).isEqualTo("1958: eine Rechenmaschine für −1, 0 und +1.");
        assertThat(answer.finished())
                .isEqualTo(new GenerationEvent.Finished(FinishReason.STOP, new Usage(12, recited().length - 12)));
    }

    @Test
    void anEmptyTextIsContinuedIfTheTokenizerBeginsIt() throws Exception {
        assertThat(generate(new Prompt.Text(""), OptionalInt.of(2)).text()).isEqualTo("In");
    }

    @Test
    void anEmptyTextIsRefusedIfNothingBeginsIt() {
        EngineGenerator generator = new EngineGenerator(engine, new ByteTokenizer(false), settings(100));
        assertThatThrownBy(() -> generator.start(request(new Prompt.Text(""), OptionalInt.empty()), event -> {}))
                .isInstanceOfSatisfying(
                        InvalidPromptException.class, e -> assertThat(e.code()).isEqualTo("invalid_value"));
    }

    @Test
    void tokensAreTakenAsTheyAre() throws Exception {
        Answer answer = generate(new Prompt.Tokens(List.of(1, 1, 1)), OptionalInt.of(3));
        assertThat(answer.text()).isEqualTo(" Mo");
        assertThat(answer.finished()).isEqualTo(new GenerationEvent.Finished(FinishReason.LENGTH, new Usage(3, 3)));
    }

    @Test
    void tokensOutsideTheVocabularyAndNoTokensAreRefused() {
        assertThatThrownBy(() -> generate(new Prompt.Tokens(List.of(1, 258)), OptionalInt.of(3)))
                .isInstanceOf(InvalidPromptException.class)
                .hasMessage("Token 1 of the prompt is 258; this model's token ids go from 0 to 257.");
        assertThatThrownBy(() -> generate(new Prompt.Tokens(List.of(-1)), OptionalInt.of(3)))
                .isInstanceOf(InvalidPromptException.class);
        assertThatThrownBy(() -> generate(new Prompt.Tokens(List.of()), OptionalInt.of(3)))
                .isInstanceOf(InvalidPromptException.class);
    }

    @Test
    void aConversationIsRenderedWithoutASecondBeginning() throws Exception {
        Prompt chat = new Prompt.Chat(List.of(new ChatMessage("user", "Hi")));
        // "user:Hi\nassistant:" has 18 bytes.
        assertThat(generate(chat, OptionalInt.of(1)).finished().usage()).isEqualTo(new Usage(18, 1));
    }

    @Test
    void messagesThatTheTemplateRefusesAreTheClientsFault() {
        assertThatThrownBy(() -> generate(new Prompt.Chat(List.of()), OptionalInt.of(1)))
                .isInstanceOf(InvalidPromptException.class)
                .hasMessageContaining("there are no messages");
    }

    @Test
    void aPromptThatLeavesNoRoomIsRefusedWithBothNumbers() throws Exception {
        assertThatThrownBy(() -> generate(new Prompt.Text("x".repeat(CONTEXT)), OptionalInt.empty()))
                .isInstanceOfSatisfying(
                        InvalidPromptException.class, e -> assertThat(e.code()).isEqualTo("context_length_exceeded"))
                .hasMessageContaining("100 tokens")
                .hasMessageContaining("has 101");
        assertThatThrownBy(() -> generate(new Prompt.Text("x".repeat(89)), OptionalInt.of(11)))
                .isInstanceOfSatisfying(
                        InvalidPromptException.class, e -> assertThat(e.code()).isEqualTo("context_length_exceeded"))
                .hasMessageContaining("11 completion tokens")
                .hasMessageContaining("prompt of 90");
        assertThat(generate(new Prompt.Text("x".repeat(89)), OptionalInt.of(10))
                        .finished()
                        .usage())
                .isEqualTo(new Usage(90, 10));
    }

    @Test
    void aPromptIsRefusedThatIsLongerThanPromptsMayBe() throws Exception {
        EngineGenerator generator = new EngineGenerator(
                engine, new ByteTokenizer(true), new GenerationSettings(CONTEXT, 10, 5, Set.of(ByteTokenizer.EOS)));

        assertThatThrownBy(() ->
                        generator.start(request(new Prompt.Text("x".repeat(10)), OptionalInt.empty()), event -> {}))
                .isInstanceOfSatisfying(
                        InvalidPromptException.class, e -> assertThat(e.code()).isEqualTo("context_length_exceeded"))
                .hasMessage("This server takes prompts of at most 10 tokens, but the prompt has 11. Please shorten the"
                        + " prompt.");
        Answer answer = new Answer();
        generator.start(request(new Prompt.Text("x".repeat(9)), OptionalInt.empty()), answer::add);
        assertThat(answer.finished().usage()).isEqualTo(new Usage(10, 5));
    }

    @Test
    void theDefaultLimitEndsWithTheContext() throws Exception {
        assertThat(generate(new Prompt.Text("x".repeat(89)), OptionalInt.empty())
                        .finished()
                        .usage())
                .isEqualTo(new Usage(90, 10));
    }

    @Test
    void anEchoedPromptComesFirstWithItsScores() throws Exception {
        AnswerDetails details = new AnswerDetails(OptionalInt.of(1), OptionalInt.of(2), true);
        Answer answer = generate(new Prompt.Text("In Moskau −"), OptionalInt.of(2), details);
        GenerationEvent.Prompt prompt = answer.prompt();
        assertThat(prompt.text()).isEqualTo("In Moskau −");
        assertThat(prompt.tokens())
                .extracting(TextToken::id)
                .startsWith(ByteTokenizer.BOS, (int) 'I', (int) 'n')
                .hasSize(14);
        assertThat(prompt.tokens())
                .extracting(TextToken::offset)
                .startsWith(0, 0, 1)
                .endsWith(9, 10, 10, 10);
        assertThat(prompt.tokens().getFirst().score()).isNull();
        assertThat(prompt.tokens().subList(1, 14))
                .allSatisfy(token ->
                        assertThat(Objects.requireNonNull(token.score()).top()).hasSize(2));
        assertThat(answer.tokens()).extracting(TextToken::offset).containsExactly(11, 12);
        assertThat(answer.finished().meanLogProbability()).isPresent();
    }

    @Test
    void aPromptCanBeScoredAloneEvenIfItFillsTheContext() throws Exception {
        AnswerDetails details = new AnswerDetails(OptionalInt.empty(), OptionalInt.of(0), false);
        Answer answer = generate(new Prompt.Text("x".repeat(99)), OptionalInt.of(0), details);
        assertThat(answer.finished()).isEqualTo(new GenerationEvent.Finished(FinishReason.LENGTH, new Usage(100, 0)));
        assertThat(answer.prompt().tokens()).hasSize(100);
        assertThat(generate(new Prompt.Tokens(List.of(65)), OptionalInt.of(0), details)
                        .prompt())
                .isEqualTo(new GenerationEvent.Prompt("A", List.of(new TextToken(65, List.of(65), 0, null))));
    }

    @Test
    void aStopStringFreesTheEnginesSlot() throws Exception {
        GenerationRequest request = new GenerationRequest(
                "a", new Prompt.Text("In "), OptionalInt.empty(), SamplingParameters.GREEDY, List.of("eine", "zwei"));
        Answer answer = new Answer();
        generator().start(request, answer::add);
        assertThat(answer.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(answer.text()).isEqualTo("Moskau, 1958: ");
        // The next request's end comes after the step that ended the first one.
        generate(new Prompt.Text("In "), OptionalInt.of(3));
        assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 2, true));
    }

    @Test
    void aConsumerThatThrowsHearsOfItAsAFailure() throws Exception {
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        generator().start(request(new Prompt.Text("In "), OptionalInt.empty()), event -> {
            switch (event) {
                case GenerationEvent.Prompt prompt -> throw new AssertionError(prompt.toString());
                case GenerationEvent.Text text -> throw new IllegalStateException("cannot take " + text);
                case GenerationEvent.Finished finished ->
                    failure.completeExceptionally(new AssertionError(finished.toString()));
                case GenerationEvent.Failed failed -> failure.complete(failed.cause());
            }
        });
        assertThat(failure.get(20, TimeUnit.SECONDS)).hasMessageContaining("cannot take");
    }

    private Answer generate(Prompt prompt, OptionalInt maxTokens) throws Exception {
        return generate(prompt, maxTokens, AnswerDetails.NONE);
    }

    private Answer generate(Prompt prompt, OptionalInt maxTokens, AnswerDetails details) throws Exception {
        Answer answer = new Answer();
        GenerationRequest request = new GenerationRequest(
                "a",
                prompt,
                maxTokens,
                SamplingParameters.GREEDY,
                List.of(),
                0,
                TokenRules.NONE,
                details,
                Urgency.NORMAL);
        generator().start(request, answer::add);
        answer.finished();
        return answer;
    }

    private EngineGenerator generator() {
        return new EngineGenerator(engine, new ByteTokenizer(true), settings(100));
    }

    private static GenerationSettings settings(int defaultMaxTokens) {
        return new GenerationSettings(CONTEXT, defaultMaxTokens, Set.of(ByteTokenizer.EOS));
    }

    private static GenerationRequest request(Prompt prompt, OptionalInt maxTokens) {
        return new GenerationRequest("a", prompt, maxTokens, SamplingParameters.GREEDY, List.of());
    }

    private static int[] recited() {
        return IntStream.concat(
                        IntStream.of(new ByteTokenizer(true).encode(TEXT, true)), IntStream.of(ByteTokenizer.EOS))
                .toArray();
    }

    /** Collects the events of one request. */
    private static final class Answer {

        private final List<String> texts = new ArrayList<>();
        private final List<TextToken> tokens = new ArrayList<>();
        private GenerationEvent.@Nullable Prompt prompt;
        private final CompletableFuture<GenerationEvent.Finished> finished = new CompletableFuture<>();

        synchronized void add(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Prompt told -> prompt = told;
                case GenerationEvent.Text text -> {
                    texts.add(text.text());
                    tokens.addAll(text.tokens());
                }
                case GenerationEvent.Finished end -> finished.complete(end);
                case GenerationEvent.Failed failed -> finished.completeExceptionally(failed.cause());
            }
        }

        GenerationEvent.Finished finished() throws Exception {
            return finished.get(20, TimeUnit.SECONDS);
        }

        synchronized List<TextToken> tokens() {
            return List.copyOf(tokens);
        }

        synchronized GenerationEvent.Prompt prompt() {
            return Objects.requireNonNull(prompt);
        }

        synchronized String text() {
            return String.join("", texts);
        }
    }
}
