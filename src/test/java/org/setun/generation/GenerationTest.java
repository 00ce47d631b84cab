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

final class GenerationTest {

    private final List<GenerationEvent> events = new ArrayList<>();
    private final List<String> asked = new ArrayList<>();

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

    private Generation generation(List<String> stops) {
        TokenRequest request =
                new TokenRequest("a", new int[] {1, 2, 3}, 100, SamplingParameters.GREEDY, Set.of(ByteTokenizer.EOS));
        return new Generation(request, new ByteTokenizer(true).decoder(true), new StopStrings(stops), events::add);
    }

    private static void tokens(Generation generation, String text) {
        for (byte unit : text.getBytes(StandardCharsets.UTF_8)) {
            generation.handle(new EngineEvent.Token(unit & 0xff, null));
        }
    }

    private static void finish(Generation generation, FinishReason reason, int completionTokens) {
        generation.handle(new EngineEvent.Finished(reason, new TokenCounts(3, 0, completionTokens)));
    }

    private static GenerationEvent text(String text) {
        return new GenerationEvent.Text(text);
    }

    private static GenerationEvent finished(FinishReason reason, int completionTokens) {
        return new GenerationEvent.Finished(reason, new Usage(3, completionTokens));
    }
}
