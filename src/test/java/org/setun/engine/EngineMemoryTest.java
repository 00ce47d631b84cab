package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.sampling.SamplingParameters;

/** An engine whose memory for keys and values is smaller than its requests together. */
@Timeout(60)
final class EngineMemoryTest {

    private static final int VOCAB = 97;

    /** Ten pages of four tokens. */
    private static final int MEMORY = 160;

    @Test
    void everyRequestEndsWithItsOwnTokensAndNoMoreRunAtOnceThanFit() throws Exception {
        Random random = new Random(5);
        AtomicInteger most = new AtomicInteger();
        ScriptedModel model = ScriptedModel.paged(VOCAB, batch -> {
            int pages = batch.chunks().stream()
                    .mapToInt(chunk -> chunk.state().pages().size())
                    .sum();
            most.accumulateAndGet(pages, Math::max);
        });
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            int[] prompt = random.ints(1 + random.nextInt(20), 0, VOCAB).toArray();
            requests.add(
                    new TokenRequest("r" + i, prompt, 1 + random.nextInt(20), SamplingParameters.GREEDY, Set.of()));
        }
        try (Engine engine = engine(model)) {
            List<Recording> answers = new ArrayList<>();
            for (TokenRequest request : requests) {
                Recording recording = new Recording();
                engine.submit(request, recording);
                answers.add(recording);
            }
            for (int i = 0; i < requests.size(); i++) {
                TokenRequest request = requests.get(i);
                assertThat(answers.get(i).finished())
                        .isEqualTo(new EngineEvent.Finished(
                                FinishReason.LENGTH,
                                new TokenCounts(
                                        request.prompt().length,
                                        0,
                                        request.ending().maxTokens())));
                assertThat(answers.get(i).ids())
                        .isEqualTo(model.continuation(
                                request.prompt(), request.ending().maxTokens()));
            }
            assertThat(engine.status().running()).isZero();
        }
        assertThat(most.get()).isBetween(5, 10);
    }

    @Test
    void whatCanNeverFitIsRefusedAtOnceAndWhatJustFitsRuns() throws Exception {
        ScriptedModel model = ScriptedModel.paged(VOCAB, batch -> {});
        try (Engine engine = engine(model)) {
            assertThat(engine.capacity()).isEqualTo(40);
            assertThatThrownBy(() -> engine.submit(request(21, 21), new Recording()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("need keys and values of 41 tokens")
                    .hasMessageContaining("holds 40");
            Recording fits = new Recording();
            engine.submit(request(20, 21), fits);
            assertThat(fits.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.LENGTH, new TokenCounts(20, 0, 21)));
        }
    }

    private static TokenRequest request(int promptTokens, int maxTokens) {
        return new TokenRequest("r", new int[promptTokens], maxTokens, SamplingParameters.GREEDY, Set.of());
    }

    private static Engine engine(ScriptedModel model) {
        return new Engine(model, Settings.of(256, 8, 16, MEMORY, Duration.ofSeconds(20)), EngineObserver.NONE);
    }
}
