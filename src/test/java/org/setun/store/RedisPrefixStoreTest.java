package org.setun.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.setun.store.Waiting.until;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.engine.PrefixStore.Wanted;
import org.setun.engine.StoredPrefix;

/** What the store keeps in a real Redis. Every test has a model of its own there. */
@Timeout(120)
final class RedisPrefixStoreTest {

    private static final int MAX_BYTES = 100_000;

    private static RealRedis redis;

    private final ModelIdentity model =
            ModelIdentity.of(List.of(UUID.randomUUID().toString()));
    private final Random random = new Random(7);
    private final AtomicInteger timedSaves = new AtomicInteger();
    private final AtomicInteger timedFinds = new AtomicInteger();

    private final StoreObserver observer = new StoreObserver() {
        @Override
        public void saved(Duration duration) {
            timedSaves.addAndGet(duration.isPositive() ? 1 : 0);
        }

        @Override
        public void restored(Duration duration) {
            timedFinds.addAndGet(duration.isPositive() ? 1 : 0);
        }
    };

    @BeforeAll
    static void startRedis() {
        redis = RealRedis.start();
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    @Test
    void theLongestBeginningThatIsOfUseIsFound() {
        int[] text = tokens(1000);
        try (RedisPrefixStore store = connected(redis.uri())) {
            for (int count : new int[] {64, 70, 127, 128, 600, 601, 999}) {
                save(store, prefix(text, count));
            }
            assertThat(found(store, text, 64, 1000)).isEqualTo(999);
            assertThat(found(store, text, 64, 998)).isEqualTo(601);
            assertThat(found(store, text, 64, 600)).isEqualTo(600);
            assertThat(found(store, text, 129, 599)).isZero();
            assertThat(found(store, text, 65, 127)).isEqualTo(127);
            assertThat(found(store, Arrays.copyOf(text, 126), 64, 126)).isEqualTo(70);
            assertThat(store.status().errors() + store.status().invalid()).isZero();
            assertThat(timedSaves).as("saves that took a time").hasValue(7);
            assertThat(timedFinds).as("finds that took a time").hasValue(5);
        }
    }

    @Test
    void aTextThatPartsIsNotFound() {
        int[] text = tokens(400);
        int[] other = text.clone();
        other[100]++;
        try (RedisPrefixStore store = connected(redis.uri())) {
            save(store, prefix(text, 90));
            save(store, prefix(text, 120));
            save(store, prefix(text, 399));
            assertThat(found(store, other, 64, 400)).isEqualTo(90);
            assertThat(store.find(new Wanted(text, 0.5, 64, 400))).isEmpty();
        }
    }

    @Test
    void whatIsFoundIsWhatWasSaved() {
        int[] text = tokens(300);
        byte[] state = new byte[50_000];
        random.nextBytes(state);
        try (RedisPrefixStore store = connected(redis.uri())) {
            save(store, new StoredPrefix(Arrays.copyOf(text, 200), 0.25, state));
            StoredPrefix found = store.find(new Wanted(text, 0.25, 64, 300)).orElseThrow();
            assertThat(found.tokens()).isEqualTo(Arrays.copyOf(text, 200));
            assertThat(found.activationSparsity()).isEqualTo(0.25);
            assertThat(found.state()).isEqualTo(state);
        }
    }

    @Test
    void manyTextsWithOneBeginningAreAllFound() {
        int[] system = tokens(64);
        List<int[]> texts = new ArrayList<>();
        try (RedisPrefixStore store = connected(redis.uri())) {
            for (int i = 0; i < 100; i++) {
                int[] text = Arrays.copyOf(system, 200);
                System.arraycopy(tokens(136), 0, text, 64, 136);
                texts.add(text);
                save(store, prefix(text, 190));
            }
            for (int[] text : texts) {
                assertThat(found(store, text, 64, 199)).isEqualTo(190);
            }
        }
    }

    @Test
    void keysAreHashesThatExpireAndTheirNumberIsBounded() {
        int[] text = tokens(120);
        try (RedisPrefixStore store = connected(redis.uri())) {
            for (int count = 64; count < 120; count++) {
                save(store, prefix(text, count));
            }
            assertThat(found(store, text, 64, 120)).isEqualTo(119);
        }
        List<byte[]> keys = keys("*");
        assertThat(keys).hasSize(56 + 1).allSatisfy(key -> {
            assertThat(new String(key, StandardCharsets.US_ASCII))
                    .matches("setun:1:[0-9a-f]{32}:(state|index):[0-9a-f]{32}");
            assertThat(redis.<Long>commands(commands -> commands.pttl(key)))
                    .isBetween(1L, Duration.ofMinutes(10).toMillis());
        });
        assertThat(redis.<Long>commands(
                        commands -> commands.zcard(keys("index:*").getFirst())))
                .isEqualTo(PrefixWriter.MAX_ENTRIES);
    }

    @Test
    void whatIsTooLargeIsNotKept() {
        try (RedisPrefixStore store = connected(redis.uri())) {
            assertThat(store.accepts(MAX_BYTES)).isFalse();
            assertThat(store.accepts(MAX_BYTES - 1)).isTrue();
            // The tokens make it larger than the limit.
            store.save(new StoredPrefix(tokens(100), 0, new byte[MAX_BYTES - 1]));
            until(() -> store.status().dropped() == 2);
            assertThat(store.status().saved()).isZero();
        }
        assertThat(keys("*")).isEmpty();
    }

    @Test
    void whatWaitsIsSavedBeforeTheStoreIsClosed() {
        int[] text = tokens(1000);
        try (RedisPrefixStore store = connected(redis.uri())) {
            for (int count = 100; count < 150; count++) {
                store.save(prefix(text, count));
            }
        }
        try (RedisPrefixStore store = connected(redis.uri())) {
            assertThat(found(store, text, 64, 1000)).isEqualTo(149);
        }
    }

    @Test
    void aPasswordIsUsed() {
        int[] text = tokens(100);
        try (RealRedis guarded = RealRedis.start()) {
            guarded.commands(commands -> commands.configSet("requirepass", "secret"));
            String address = guarded.uri().substring("redis://".length());
            try (RedisPrefixStore store = connected("redis://:secret@" + address)) {
                save(store, prefix(text, 99));
                assertThat(found(store, text, 64, 100)).isEqualTo(99);
            }
            try (RedisPrefixStore store = new RedisPrefixStore(settings("redis://:wrong@" + address), model)) {
                assertThat(found(store, text, 64, 100)).isZero();
                assertThat(store.isConnected()).isFalse();
            }
        }
    }

    @Test
    void settingsDoNotTellThePassword() {
        assertThat(settings("rediss://user:secret@redis.example:7000/2"))
                .hasToString("RedisSettings[host=redis.example, port=7000, timeout=PT2S, ttl=PT10M, maxEntryBytes="
                        + MAX_BYTES + "]");
        assertThatThrownBy(() -> settings("http://user:secret@redis.example"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("secret");
    }

    private RedisPrefixStore connected(String uri) {
        RedisPrefixStore store = new RedisPrefixStore(settings(uri), model, observer);
        until(store::isConnected);
        return store;
    }

    private static RedisSettings settings(String uri) {
        return new RedisSettings(uri, Duration.ofSeconds(2), Duration.ofMinutes(10), MAX_BYTES);
    }

    private List<byte[]> keys(String pattern) {
        String match = "setun:1:" + model.digest().substring(0, 32) + ":" + pattern;
        return redis.commands(commands -> {
            List<byte[]> keys = new ArrayList<>();
            KeyScanCursor<byte[]> cursor =
                    commands.scan(ScanArgs.Builder.limit(1000).match(match));
            keys.addAll(cursor.getKeys());
            while (!cursor.isFinished()) {
                cursor = commands.scan(cursor, ScanArgs.Builder.limit(1000).match(match));
                keys.addAll(cursor.getKeys());
            }
            return keys;
        });
    }

    /** Saves a state, and waits until it is there. */
    private static void save(RedisPrefixStore store, StoredPrefix prefix) {
        long before = store.status().saved();
        store.save(prefix);
        until(() -> store.status().saved() == before + 1);
    }

    private static int found(RedisPrefixStore store, int[] text, int least, int most) {
        Optional<StoredPrefix> found = store.find(new Wanted(text, 0, least, most));
        return found.map(prefix -> prefix.tokens().length).orElse(0);
    }

    private StoredPrefix prefix(int[] text, int count) {
        byte[] state = new byte[32];
        random.nextBytes(state);
        return new StoredPrefix(Arrays.copyOf(text, count), 0, state);
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, 50_000).toArray();
    }
}
