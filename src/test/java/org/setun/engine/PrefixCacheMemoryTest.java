package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.model.StateLayout;
import org.setun.sampling.SamplingParameters;

/** What the prefix cache takes is what it may take, and a long prompt leaves room for others. */
@Timeout(120)
final class PrefixCacheMemoryTest {

    private static final int VOCAB = 97;

    @Test
    void aLongPromptLeavesFewStatesAndDrivesNobodyOut() throws Exception {
        Random random = new Random(1);
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = prompt(random, 100_000);
        try (Engine engine = new Engine(model, Settings.cached(4, 512, 0, 650_000), EngineObserver.NONE)) {
            List<int[]> others = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                others.add(prompt(random, 100));
                submit(engine, others.getLast(), 2).finished();
            }
            int entries = engine.cache().entries();
            submit(engine, prompt, 2).finished();
            assertThat(engine.cache().entries() - entries).isLessThan(60);
            assertThat(engine.cache().evictions()).isZero();
            // All states of the long prompt, and that after its answer, share its tokens.
            assertThat(engine.cache().bytes()).isBetween(400_000L, 600_000L);
            for (int[] other : others) {
                assertThat(submit(engine, other, 2).finished().tokens().cached())
                        .isEqualTo(99);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 5_000, 15_000, 19_000, 19_990})
    void ofAPromptThatBeginsAlikeLittleIsReadAgain(int shared) throws Exception {
        Random random = new Random(shared);
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = prompt(random, 20_000);
        try (Engine engine = new Engine(model, Settings.cached(4, 128, 0, 10 << 20), EngineObserver.NONE)) {
            submit(engine, prompt, 2).finished();
            int[] cached = new int[3];
            for (int i = 0; i < 3; i++) {
                int[] alike = IntStream.concat(Arrays.stream(prompt, 0, shared), Arrays.stream(prompt(random, 50)))
                        .toArray();
                Recording recording = submit(engine, alike, 2);
                cached[i] = recording.finished().tokens().cached();
                assertThat(recording.ids()).isEqualTo(model.continuation(alike, 2));
            }
            assertThat(cached[0]).isGreaterThanOrEqualTo(shared - Math.max(256, (20_000 - shared) / 4));
            // Where prompts are known to part, the state is kept.
            assertThat(cached[2]).isGreaterThanOrEqualTo(shared - 32);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tokensAndBookkeepingCount(boolean recurrent) throws Exception {
        long memory = 100_000;
        ScriptedModel model = recurrent ? new ScriptedModel(VOCAB) : ScriptedModel.pagesOnly(VOCAB, batch -> {});
        Random random = new Random(4);
        try (Engine engine = new Engine(model, Settings.cached(4, 64, 1 << 20, memory), EngineObserver.NONE)) {
            for (int i = 0; i < 100; i++) {
                int[] prompt = prompt(random, 1 + random.nextInt(1500));
                submit(engine, prompt, 5).finished();
                int pages = recurrent ? 0 : 16 * engine.cache().entries();
                assertThat(engine.cache().bytes() - pages).isLessThanOrEqualTo(memory);
                assertThat(engine.cache().bytes()).isGreaterThan(engine.cache().entries() * PrefixCache.ENTRY_BYTES);
            }
            assertThat(engine.cache().evictions()).isPositive();
            assertThat(engine.cache().bytes()).isGreaterThan(memory / 2);
            // A text that alone takes more is not kept, and not in the way of others.
            submit(engine, prompt(random, 30_000), 1).finished();
            int[] small = prompt(random, 201);
            submit(engine, small, 2).finished();
            assertThat(submit(engine, small, 2).finished().tokens().cached()).isEqualTo(200);
        }
    }

    @Test
    void anEntryTakesNoMoreThanIsCounted() {
        StateLayout layout = new StateLayout(64, 4, 0);
        TokenArrays arrays = new TokenArrays();
        int count = 50_000;
        int[] tokens = prompt(new Random(5), count);
        long before = heapUsed();
        try (StatePool pool = new StatePool(layout, 1, 0);
                KnownStates states = new KnownStates(pool, arrays)) {
            SequenceMemory memory = new SequenceMemory(pool, layout);
            Prefix prefix = new Prefix(tokens, 0);
            for (int i = 1; i <= count; i++) {
                assertThat(states.keep(prefix, i, memory.slot(), null)).isTrue();
            }
            long taken = heapUsed() - before;
            assertThat(states.size()).isEqualTo(count);
            assertThat(arrays.bytes()).isEqualTo(16 + 4L * count);
            assertThat((double) taken / count)
                    .as("bytes of heap an entry")
                    .isBetween(PrefixCache.ENTRY_BYTES / 4.0, (double) PrefixCache.ENTRY_BYTES);
        }
    }

    private static long heapUsed() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static int[] prompt(Random random, int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }

    private static Recording submit(Engine engine, int[] prompt, int maxTokens) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(new TokenRequest("r", prompt, maxTokens, SamplingParameters.GREEDY, Set.of()), recording);
        return recording;
    }
}
