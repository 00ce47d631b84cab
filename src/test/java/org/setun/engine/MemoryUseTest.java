package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.sampling.SamplingParameters;

/** What an engine tells of its sequences' memory: how much they take, and what it costs to lose it. */
@Timeout(60)
final class MemoryUseTest {

    private static final int VOCAB = 97;

    @Test
    void aPageThatSequencesShareIsCountedOnceAndOneThatOnlyTheCacheHoldsNotAtAll() throws Exception {
        int[] prompt = new Random(3).ints(17, 0, VOCAB).toArray();
        StepGate gate = new StepGate();
        AtomicBoolean gated = new AtomicBoolean();
        ScriptedModel model = ScriptedModel.paged(VOCAB, batch -> {
            if (gated.get()) {
                gate.accept(batch);
            }
        });
        // 40 pages of four tokens.
        try (Engine engine = new Engine(model, Settings.cached(4, 16, 640, 20_000), EngineObserver.NONE)) {
            submit(engine, "first", prompt, 1).finished();
            assertThat(engine.memory()).isEqualTo(new MemoryStatus(0, 4 * 20, 0, 640));
            assertThat(engine.cache().bytes()).isPositive();

            gated.set(true);
            Recording second = submit(engine, "second", prompt, 3);
            Recording third;
            try {
                gate.awaitStep();
                third = submit(engine, "third", prompt, 3);
                gate.pass();
                assertThat(gate.awaitStep().chunks()).hasSize(2);
                // Four known pages, and one of each one's own.
                assertThat(engine.memory()).isEqualTo(new MemoryStatus(2 * 20, 4 * 20, 16 * (4 + 2), 640));
            } finally {
                gate.open();
            }
            second.finished();
            third.finished();
            assertThat(engine.memory().pageBytes()).isZero();
        }
    }

    @Test
    void whatIsComputedASecondTimeIsTold() throws Exception {
        Random random = new Random(5);
        AtomicLong computed = new AtomicLong();
        AtomicInteger lost = new AtomicInteger();
        ScriptedModel model = ScriptedModel.paged(
                VOCAB, batch -> batch.chunks().forEach(chunk -> computed.addAndGet(chunk.tokens().length)));
        EngineObserver observer = new EngineObserver() {
            @Override
            public void requestResumed(String id, int lostTokens) {
                lost.addAndGet(lostTokens);
            }
        };
        long needed = 0;
        // Ten pages of four tokens for sequences that come to need up to ten each.
        try (Engine engine = new Engine(model, Settings.of(64, 8, 16, 160, Duration.ofSeconds(20)), observer)) {
            List<Recording> recordings = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int[] prompt = random.ints(1 + random.nextInt(8), 0, VOCAB).toArray();
                recordings.add(submit(engine, "r" + i, prompt, 20));
                // The last generated token is never read.
                needed += prompt.length + 19;
            }
            for (Recording recording : recordings) {
                recording.finished();
            }
        }
        assertThat(lost.get()).isPositive().isEqualTo((int) (computed.get() - needed));
    }

    private static Recording submit(Engine engine, String id, int[] prompt, int maxTokens) throws Exception {
        Recording recording = new Recording();
        engine.submit(new TokenRequest(id, prompt, maxTokens, SamplingParameters.GREEDY, Set.of()), recording);
        return recording;
    }
}
