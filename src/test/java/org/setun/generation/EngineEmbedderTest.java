package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.engine.Engine;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.engine.Urgency;

@Timeout(60)
final class EngineEmbedderTest {

    @AutoClose
    private final Engine engine = new Engine(
            new RecitingModel(ByteTokenizer.VOCAB, 1),
            new EngineSettings(
                    new EngineSettings.QueueLimits(8, 10_000),
                    new EngineSettings.BatchLimits(2, 16, 2),
                    new EngineSettings.MemoryLimits(0, 0),
                    Duration.ofSeconds(20)),
            EngineObserver.NONE);

    private final EngineEmbedder embedder =
            new EngineEmbedder(engine, new ByteTokenizer(true), new GenerationSettings(50, 1, Set.of()));

    @Test
    void aTextBecomesAVectorOfLengthOne() throws Exception {
        // Its one number is positive, however long the text is.
        assertThat(embed("x".repeat(49)).vector()).containsExactly(1);
        assertThat(embed("x".repeat(49)).usage()).isEqualTo(new Usage(50, 0));
    }

    @Test
    void aTextThatIsTooLongIsRefused() {
        assertThatThrownBy(() -> embed("x".repeat(50)))
                .isInstanceOfSatisfying(
                        InvalidPromptException.class, e -> assertThat(e.code()).isEqualTo("context_length_exceeded"))
                .hasMessageContaining("50 tokens")
                .hasMessageContaining("has 51");
    }

    @Test
    void aRequestWhoseTimeIsOverSaysSo() throws Exception {
        CompletableFuture<EmbeddingEvent> answer = new CompletableFuture<>();
        embedder.start(
                new EmbeddingRequest("e", new Prompt.Text("x"), new Urgency(0, Optional.of(Duration.ofNanos(1)))),
                answer::complete);
        assertThat(answer.get(20, TimeUnit.SECONDS))
                .isInstanceOfSatisfying(
                        EmbeddingEvent.Failed.class,
                        failed -> assertThat(failed.cause()).isInstanceOf(TimeoutException.class));
    }

    @Test
    void aVectorKeepsItsDirection() {
        assertThat(EngineEmbedder.ofLengthOne(new float[] {3, 0, -4})).containsExactly(0.6f, 0, -0.8f);
        assertThat(EngineEmbedder.ofLengthOne(new float[] {0, 0})).containsExactly(0, 0);
    }

    private EmbeddingEvent.Embedded embed(String text) throws Exception {
        CompletableFuture<EmbeddingEvent> answer = new CompletableFuture<>();
        embedder.start(new EmbeddingRequest("e", new Prompt.Text(text), Urgency.NORMAL), answer::complete);
        return (EmbeddingEvent.Embedded) answer.get(20, TimeUnit.SECONDS);
    }
}
