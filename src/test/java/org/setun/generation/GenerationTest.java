package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.setun.engine.Engine;
import org.setun.engine.EngineEvent;
import org.setun.engine.FinishReason;
import org.setun.engine.TokenCounts;
import org.setun.engine.TokenRequest;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.TokenScore;
import org.setun.sampling.TokenScore.Scored;

final class GenerationTest {

    private final List<GenerationEvent> events = new ArrayList<>();
    private final List<String> asked = new ArrayList<>();

    private int discarded;

    private final GenerationObserver observer = new GenerationObserver() {
        @Override
        public void tokenDiscarded() {
            discarded++;
        }
    };

    private final Engine.Handle engineRequest = new Engine.Handle() {
        @Override
        public void cancel() {
            asked.add("cancel");
        }

        @Override
        public void stop() {
            asked.add("stop");
        }
    };

    @Test
    void charactersAreNeverSplit() {
        Generation generation = generation(List.of());
        tokens(generation, "né€𝄞");
        finish(generation, FinishReason.LENGTH, 10);
        assertThat(events)
                .containsExactly(text("n"), text("é"), text("€"), text("𝄞"), finished(FinishReason.LENGTH, 10));
    }

    @Test
    void whatIsHeldBackComesOutAtTheEnd() {
        Generation generation = generation(List.of("stop"));
        tokens(generation, "a st");
        generation.handle(new EngineEvent.Token(0xe2, null));
        finish(generation, FinishReason.LENGTH, 5);
        assertThat(events).containsExactly(text("a"), text(" "), text("st\ufffd"), finished(FinishReason.LENGTH, 5));
    }

    @Test
    void aStopStringEndsTheAnswerAndTheEnginesWork() {
        Generation generation = generation(List.of("stop"));
        generation.submitted(engineRequest);
        tokens(generation, "x stop and more");
        finish(generation, FinishReason.CANCELLED, 15);
        assertThat(events).containsExactly(text("x"), text(" "), finished(FinishReason.STOP, 6));
        assertThat(asked).containsExactly("stop");
        assertThat(discarded).as("tokens of ' and more'").isEqualTo(9);
    }

    @Test
    void anAnswerThatAStopStringHasEndedIsCompleteEvenIfTheEngineFails() {
        Generation generation = generation(List.of("s"));
        tokens(generation, "as");
        generation.handle(new EngineEvent.Failed(new IllegalStateException("a scripted fault")));
        assertThat(events).containsExactly(text("a"), finished(FinishReason.STOP, 2));
    }

    @Test
    void theEngineTellsHowMuchOfThePromptWasKnown() {
        Generation generation = generation(List.of());
        tokens(generation, "a");
        generation.handle(new EngineEvent.Finished(FinishReason.LENGTH, new TokenCounts(3, 2, 1)));
        assertThat(events)
                .containsExactly(text("a"), new GenerationEvent.Finished(FinishReason.LENGTH, new Usage(3, 2, 1)));
    }

    @Test
    void aStopStringBeforeTheEnginesHandleIsThereIsPassedOnLater() {
        Generation generation = generation(List.of("s"));
        tokens(generation, "s");
        assertThat(asked).isEmpty();
        generation.submitted(engineRequest);
        assertThat(asked).containsExactly("stop");
    }

    @Test
    void aStopTokenIsCountedAndLeftOutOfTheText() {
        Generation generation = generation(List.of());
        tokens(generation, "a");
        generation.handle(new EngineEvent.Token(ByteTokenizer.EOS, null));
        finish(generation, FinishReason.STOP, 2);
        assertThat(events).containsExactly(text("a"), finished(FinishReason.STOP, 2));
    }

    @Test
    void cancellationReachesTheEngineWhenItComesBeforeTheHandle() {
        Generation generation = generation(List.of());
        generation.cancel();
        generation.submitted(engineRequest);
        assertThat(asked).containsExactly("cancel");
    }

    @Test
    void cancellationMayBeRepeatedAndTheEndIsTheEngines() {
        Generation generation = generation(List.of());
        generation.submitted(engineRequest);
        tokens(generation, "a");
        generation.cancel();
        generation.cancel();
        finish(generation, FinishReason.CANCELLED, 1);
        assertThat(asked).containsOnly("cancel");
        assertThat(events).containsExactly(text("a"), finished(FinishReason.CANCELLED, 1));
    }

    @Test
    void aFaultOfTheEngineIsPassedOn() {
        Generation generation = generation(List.of("stop"));
        RuntimeException cause = new IllegalStateException("a scripted fault");
        tokens(generation, "s");
        generation.handle(new EngineEvent.Failed(cause));
        finish(generation, FinishReason.LENGTH, 1);
        assertThat(events).containsExactly(new GenerationEvent.Failed(cause));
    }

    @Test
    void scoredTokensLeaveWithTheTextThatTheyBeginIn() {
        Generation generation = generation(List.of("stop"));
        scored(generation, "a€ st");
        scored(generation, "y𝄞");
        finish(generation, FinishReason.LENGTH, 12);
        assertThat(events)
                .containsExactly(
                        text("a", token('a', 0)),
                        text("€", token(0xe2, 1), token(0x82, 1), token(0xac, 1)),
                        text(" ", token(' ', 2)),
                        text("sty", token('s', 3), token('t', 4), token('y', 5)),
                        text("𝄞", token(0xf0, 6), token(0x9d, 6), token(0x84, 6), token(0x9e, 6)),
                        finished(FinishReason.LENGTH, 12));
    }

    @Test
    void tokensBehindAStopStringAreDropped() {
        Generation generation = generation(List.of("€"));
        scored(generation, "a€b");
        finish(generation, FinishReason.STOP, 5);
        assertThat(events).containsExactly(text("a", token('a', 0)), finished(FinishReason.STOP, 4));
    }

    @Test
    void tokensWithoutTextLeaveAtTheEnd() {
        Generation generation = generation(List.of());
        scored(generation, "a");
        generation.handle(new EngineEvent.Token(ByteTokenizer.BOS, score(ByteTokenizer.BOS)));
        finish(generation, FinishReason.LENGTH, 2);
        assertThat(events)
                .containsExactly(
                        text("a", token('a', 0)),
                        text("", new TextToken(ByteTokenizer.BOS, List.of((int) '^'), 1, textScore(ByteTokenizer.BOS))),
                        finished(FinishReason.LENGTH, 2));
    }

    private static void scored(Generation generation, String text) {
        for (byte unit : text.getBytes(StandardCharsets.UTF_8)) {
            generation.handle(new EngineEvent.Token(unit & 0xff, score(unit & 0xff)));
        }
    }

    private static TokenScore score(int id) {
        return new TokenScore(new Scored(id, -id), 2, List.of(new Scored('x', -0.5f)));
    }

    private static TextToken token(int value, int offset) {
        return new TextToken(value, List.of(value), offset, textScore(value));
    }

    private static TextToken.Score textScore(int id) {
        return new TextToken.Score(-id, 2, List.of(new TextToken.Candidate('x', List.of((int) 'x'), -0.5f)));
    }

    private static GenerationEvent text(String text, TextToken... tokens) {
        return new GenerationEvent.Text(text, List.of(tokens));
    }

    private Generation generation(List<String> stops) {
        TokenRequest request =
                new TokenRequest("a", new int[] {1, 2, 3}, 100, SamplingParameters.GREEDY, Set.of(ByteTokenizer.EOS));
        ByteTokenizer tokenizer = new ByteTokenizer(true);
        AnswerText text = new AnswerText(tokenizer.decoder(true), new StopStrings(stops), new TokenTrail(tokenizer, 0));
        return new Generation(request, null, text, observer, events::add);
    }

    private static void tokens(Generation generation, String text) {
        for (byte unit : text.getBytes(StandardCharsets.UTF_8)) {
            generation.handle(new EngineEvent.Token(unit & 0xff, null));
        }
    }

    private static void finish(Generation generation, FinishReason reason, int completionTokens) {
        generation.handle(new EngineEvent.Finished(reason, new TokenCounts(3, 0, completionTokens)));
    }

    private static GenerationEvent finished(FinishReason reason, int completionTokens) {
        return new GenerationEvent.Finished(reason, new Usage(3, completionTokens));
    }
}
