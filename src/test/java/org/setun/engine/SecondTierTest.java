package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.sampling.SamplingParameters;

/** What the engine asks of a store, and what it makes of a bad one. */
@Timeout(60)
final class SecondTierTest {

    private static final int VOCAB = 97;

    private final Random random = new Random(5);
    private final ScriptedModel model = ScriptedModel.paged(VOCAB, batch -> {});

    /** Keeps everything, and remembers what it was asked. */
    private static final class MapStore implements PrefixStore {

        private final Map<List<Integer>, StoredPrefix> states = new ConcurrentHashMap<>();
        private final List<Wanted> asked = new ArrayList<>();

        @Override
        public boolean accepts(long bytes) {
            return true;
        }

        @Override
        public void save(StoredPrefix prefix) {
            states.put(Arrays.stream(prefix.tokens()).boxed().toList(), prefix);
        }

        @Override
        public synchronized Optional<StoredPrefix> find(Wanted wanted) {
            asked.add(wanted);
            return IntStream.iterate(wanted.most(), count -> count >= wanted.least(), count -> count - 1)
                    .mapToObj(count -> states.get(
                            Arrays.stream(wanted.prompt(), 0, count).boxed().toList()))
                    .flatMap(Stream::ofNullable)
                    .findFirst();
        }

        List<Integer> lengths() {
            return states.keySet().stream().map(List::size).sorted().toList();
        }

        @Override
        public void close() {}
    }

    @Test
    void thePromptsStateAndTheEndsAreSavedOnce() throws Exception {
        MapStore store = new MapStore();
        int[] prompt = prompt(400);
        try (Engine engine = engine(store)) {
            submit(engine, prompt, 10).finished();
            assertThat(store.lengths()).containsExactly(399, 409);
            store.states.clear();
            submit(engine, prompt, 10).finished();
            assertThat(store.states).isEmpty();
            submit(engine, prompt(63), 1).finished();
            assertThat(store.states).isEmpty();
        }
    }

    @Test
    void whatOthersHaveInCommonIsSaved() throws Exception {
        MapStore store = new MapStore();
        int[] shared = prompt(200);
        try (Engine engine = engine(store)) {
            for (int i = 0; i < 3; i++) {
                submit(
                                engine,
                                IntStream.concat(Arrays.stream(shared), Arrays.stream(prompt(90)))
                                        .toArray(),
                                1)
                        .finished();
            }
        }
        assertThat(store.lengths()).contains(192);
    }

    @Test
    void theStoreIsAskedForMoreThanMemoryKnows() throws Exception {
        MapStore store = new MapStore();
        int[] prompt = prompt(300);
        try (Engine engine = engine(store)) {
            submit(engine, prompt(64), 1).finished();
            assertThat(store.asked).isEmpty();
            submit(engine, prompt, 1).finished();
            assertThat(store.asked).hasSize(1);
            assertThat(store.asked.getFirst().least()).isEqualTo(64);
            assertThat(store.asked.getFirst().most()).isEqualTo(299);
            submit(engine, prompt, 1).finished();
            submit(engine, Arrays.copyOf(prompt, 310), 1).finished();
            assertThat(store.asked).hasSize(1);
            submit(engine, Arrays.copyOf(prompt, 400), 1).finished();
            assertThat(store.asked).hasSize(2);
            assertThat(store.asked.getLast().least()).isEqualTo(310 + 16);
        }
    }

    @Test
    void whoIsRefusedDoesNotWaitForTheStore() throws Exception {
        MapStore store = new MapStore();
        try (Engine engine = engine(store)) {
            engine.drain();
            assertThat(catchThrowable(() -> submit(engine, prompt(100), 1)))
                    .isInstanceOf(EngineRejectedException.class);
        }
        assertThat(store.asked).isEmpty();
    }

    /** A store whose answers are changed, or replaced by a fault. */
    private record Liar(MapStore store, Function<StoredPrefix, StoredPrefix> lie) implements PrefixStore {

        @Override
        public boolean accepts(long bytes) {
            return store.accepts(bytes);
        }

        @Override
        public void save(StoredPrefix prefix) {
            store.save(prefix);
        }

        @Override
        public Optional<StoredPrefix> find(Wanted wanted) {
            return store.find(wanted).map(lie);
        }

        @Override
        public void close() {}
    }

    static Stream<Function<StoredPrefix, StoredPrefix>> lies() {
        return Stream.of(
                found -> new StoredPrefix(found.tokens(), 0.5, found.state()),
                found -> new StoredPrefix(found.tokens(), 0, Arrays.copyOf(found.state(), found.state().length - 1)),
                found -> new StoredPrefix(found.tokens(), 0, Arrays.copyOf(found.state(), found.state().length + 1)),
                found -> new StoredPrefix(found.tokens(), 0, new byte[0]),
                found -> new StoredPrefix(Arrays.copyOf(found.tokens(), found.tokens().length - 4), 0, found.state()),
                found -> new StoredPrefix(new int[found.tokens().length], 0, found.state()),
                found -> new StoredPrefix(new int[1 << 20], 0, found.state()),
                found -> {
                    throw new IllegalStateException("a fault of the store");
                },
                found -> {
                    throw new OutOfMemoryError("a large state");
                });
    }

    @ParameterizedTest
    @MethodSource("lies")
    void whatDoesNotFitIsNotUsed(Function<StoredPrefix, StoredPrefix> lie) throws Exception {
        MapStore store = new MapStore();
        int[] prompt = prompt(200);
        try (Engine engine = engine(store)) {
            submit(engine, prompt, 20).finished();
        }
        try (Engine engine = engine(new Liar(store, lie))) {
            Recording recording = submit(engine, prompt, 20);
            assertThat(recording.finished().tokens()).isEqualTo(new TokenCounts(200, 0, 20));
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 20));
        }
        try (Engine engine = engine(new Liar(store, found -> found))) {
            assertThat(submit(engine, prompt, 20).finished().tokens()).isEqualTo(new TokenCounts(200, 199, 199, 20));
        }
    }

    @Test
    void aStoreThatCannotSaveCostsNothing() throws Exception {
        PrefixStore broken = new PrefixStore() {
            @Override
            public boolean accepts(long bytes) {
                return true;
            }

            @Override
            public void save(StoredPrefix prefix) {
                throw new IllegalStateException("a fault of the store");
            }

            @Override
            public Optional<StoredPrefix> find(Wanted wanted) {
                return Optional.empty();
            }

            @Override
            public void close() {}
        };
        int[] prompt = prompt(200);
        try (Engine engine = engine(broken)) {
            Recording recording = submit(engine, prompt, 20);
            recording.finished();
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 20));
            assertThat(submit(engine, prompt, 20).finished().tokens().cached()).isEqualTo(199);
        }
    }

    @Test
    void littleMemoryCostsHitsAndNothingElse() throws Exception {
        MapStore store = new MapStore();
        Map<Integer, int[]> prompts = new HashMap<>();
        try (Engine engine = engine(store)) {
            for (int i = 0; i < 20; i++) {
                prompts.put(i, prompt(70 + random.nextInt(60)));
                submit(engine, prompts.get(i), 10).finished();
            }
        }
        // 40 pages of 4 tokens; the bookkeeping of these, and three snapshots or so with their tokens.
        try (Engine engine = new Engine(model, Settings.cached(6, 24, 640, 18_000), EngineObserver.NONE, store)) {
            int stored = 0;
            for (int round = 0; round < 20; round++) {
                List<Recording> recordings = new ArrayList<>();
                List<int[]> asked = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    asked.add(prompts.get(random.nextInt(20)));
                    recordings.add(submit(engine, asked.getLast(), 10));
                }
                for (int i = 0; i < 6; i++) {
                    stored += recordings.get(i).finished().tokens().stored();
                    assertThat(recordings.get(i).ids()).isEqualTo(model.continuation(asked.get(i), 10));
                }
            }
            assertThat(stored).isPositive();
            assertThat(engine.cache().evictions()).isPositive();
            assertThat(engine.status()).isEqualTo(new EngineStatus(0, 0, 6, true));
        }
    }

    private Engine engine(PrefixStore store) {
        return new Engine(model, Settings.cached(4, 64, 1 << 20, 1 << 20), EngineObserver.NONE, store);
    }

    private int[] prompt(int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }

    private static Recording submit(Engine engine, int[] prompt, int maxTokens) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(new TokenRequest("r", prompt, maxTokens, SamplingParameters.GREEDY, Set.of()), recording);
        return recording;
    }
}
