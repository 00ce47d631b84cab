package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.setun.store.Waiting.until;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.api.sync.RedisCommands;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.store.ModelIdentity;
import org.setun.store.RealRedis;

/** What a Redis that holds something else costs: the computing, and nothing more. */
@Timeout(180)
final class DamagedStateTest {

    private static final int VOCAB = 97;

    private static RealRedis redis;

    private final ModelIdentity identity = Replica.newIdentity();
    private final Random random = new Random(3);

    @BeforeAll
    static void startRedis() {
        redis = RealRedis.start();
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    static Stream<BiConsumer<RedisCommands<byte[], byte[]>, byte[]>> damages() {
        return Stream.of(
                (commands, key) -> commands.set(key, new byte[0]),
                (commands, key) -> commands.set(key, new byte[10_000]),
                (commands, key) -> commands.set(key, Arrays.copyOf(value(commands, key), 60)),
                (commands, key) -> commands.set(key, Arrays.copyOf(value(commands, key), 10_000)),
                (commands, key) -> commands.set(key, flipped(value(commands, key), 3)),
                // The version.
                (commands, key) -> commands.set(key, flipped(value(commands, key), 8)),
                // The model.
                (commands, key) -> commands.set(key, flipped(value(commands, key), 12)),
                // A length.
                (commands, key) -> commands.set(key, flipped(value(commands, key), 55)),
                // A token; the state; the checksum.
                (commands, key) -> commands.set(key, flipped(value(commands, key), 70)),
                (commands, key) -> commands.set(key, flipped(value(commands, key), value(commands, key).length - 10)),
                (commands, key) -> commands.set(key, flipped(value(commands, key), value(commands, key).length - 1)),
                (commands, key) -> {
                    commands.del(key);
                    commands.lpush(key, new byte[7]);
                },
                (commands, key) -> commands.del(key));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void aDamagedStateIsAMiss(BiConsumer<RedisCommands<byte[], byte[]>, byte[]> damage) throws Exception {
        ScriptedModel model = ScriptedModel.paged(VOCAB, batch -> {});
        int[] prompt = prompt(150);
        try (Replica one = Replica.connected(model, redis.uri(), identity)) {
            one.ask(prompt, 30).finished();
            until(() -> one.saved() == 2);
        }
        damageAll("state", damage);
        try (Replica another = Replica.connected(model, redis.uri(), identity)) {
            Recording recording = another.ask(prompt, 30);
            assertThat(recording.finished().tokens().cached()).isZero();
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 30));
            // What was damaged is written anew.
            until(() -> another.saved() == 2);
        }
        try (Replica third = Replica.connected(model, redis.uri(), identity)) {
            Recording recording = third.ask(prompt, 30);
            assertThat(recording.finished().tokens().stored()).isEqualTo(149);
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 30));
        }
    }

    @Test
    void aDamagedIndexIsAMiss() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = prompt(150);
        try (Replica one = Replica.connected(model, redis.uri(), identity)) {
            one.ask(prompt, 1).finished();
            until(() -> one.saved() > 0);
        }
        damageAll("index", (commands, key) -> {
            commands.del(key);
            for (int size : new int[] {0, 1, 23, 24, 25, 1000}) {
                byte[] member = new byte[size];
                random.nextBytes(member);
                commands.zadd(key, size, member);
            }
        });
        try (Replica another = Replica.connected(model, redis.uri(), identity)) {
            Recording recording = another.ask(prompt, 30);
            assertThat(recording.finished().tokens().cached()).isZero();
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 30));
        }
        damageAll("index", (commands, key) -> {
            commands.set(key, new byte[] {1});
        });
        try (Replica another = Replica.connected(model, redis.uri(), identity)) {
            Recording recording = another.ask(prompt, 30);
            assertThat(recording.finished().tokens().cached()).isZero();
            assertThat(another.store().status().errors()).isPositive();
        }
    }

    private void damageAll(String kind, BiConsumer<RedisCommands<byte[], byte[]>, byte[]> damage) {
        String match = "setun:1:" + identity.digest().substring(0, 32) + ":" + kind + ":*";
        int count = redis.commands(commands -> {
            int damaged = 0;
            KeyScanCursor<byte[]> cursor =
                    commands.scan(ScanArgs.Builder.limit(10_000).match(match));
            for (byte[] key : cursor.getKeys()) {
                damage.accept(commands, key);
                damaged++;
            }
            return damaged;
        });
        assertThat(count).isPositive();
    }

    private static byte[] value(RedisCommands<byte[], byte[]> commands, byte[] key) {
        return Objects.requireNonNull(commands.get(key));
    }

    private static byte[] flipped(byte[] bytes, int index) {
        bytes[index] ^= 0x10;
        return bytes;
    }

    private int[] prompt(int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }
}
