package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.setun.store.Waiting.until;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.store.ModelIdentity;
import org.setun.store.RealRedis;
import org.setun.store.RedisProxy;

/** What a Redis that is down, slow or full costs: the computing, and nothing more. */
@Timeout(180)
final class UnreliableRedisTest {

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

    @Test
    void aRedisThatIsKilledAndComesBackCostsMissesOnly() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        RealRedis first = RealRedis.start();
        try (RedisProxy proxy = new RedisProxy(first);
                Replica one = Replica.connected(model, proxy.uri(), identity);
                Replica another = Replica.connected(model, proxy.uri(), identity)) {
            assertResumes(model, one, another, true);
            proxy.target(null);
            first.kill();
            for (int i = 0; i < 10; i++) {
                assertResumes(model, one, another, false);
            }
            try (RealRedis second = RealRedis.start()) {
                proxy.target(second);
                awaitResumed(model, one, another);
                proxy.target(null);
            }
            assertResumes(model, one, another, false);
            until(() -> proxy.connections() == 0);
        } finally {
            first.close();
        }
    }

    @Test
    void aRedisThatDoesNotAnswerIsNotWaitedFor() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        try (RedisProxy proxy = new RedisProxy(redis);
                Replica one = Replica.connected(model, proxy.uri(), identity);
                Replica another = Replica.connected(model, proxy.uri(), identity)) {
            assertResumes(model, one, another, true);
            proxy.stall(true);
            for (int i = 0; i < 10; i++) {
                assertResumes(model, one, another, false);
            }
            assertThat(another.store().status().errors()).isPositive().isLessThanOrEqualTo(6);
            proxy.stall(false);
            awaitResumed(model, one, another);
        }
    }

    @Test
    void aPausedRedisIsNotWaitedFor() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        try (RealRedis slow = RealRedis.start();
                Replica one = Replica.connected(model, slow.uri(), identity);
                Replica another = Replica.connected(model, slow.uri(), identity)) {
            assertResumes(model, one, another, true);
            slow.commands(commands -> commands.clientPause(4000));
            for (int i = 0; i < 10; i++) {
                assertResumes(model, one, another, false);
            }
            awaitResumed(model, one, another);
        }
    }

    @Test
    void aFullRedisCostsMissesOnly() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        try (RealRedis full = RealRedis.start();
                Replica one = Replica.connected(model, full.uri(), identity);
                Replica another = Replica.connected(model, full.uri(), identity)) {
            assertResumes(model, one, another, true);
            full.commands(commands -> commands.configSet("maxmemory", "1"));
            for (int i = 0; i < 5; i++) {
                assertResumes(model, one, another, false);
            }
            until(() -> one.store().status().errors() > 0);
            full.commands(commands -> commands.configSet("maxmemory", "0"));
            awaitResumed(model, one, another);
        }
    }

    @Test
    void nothingIsLeftOfAClosedStore() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        try (RedisProxy proxy = new RedisProxy(redis)) {
            long before = storeThreads();
            for (int round = 0; round < 3; round++) {
                try (Replica one = Replica.connected(model, proxy.uri(), identity);
                        Replica another = Replica.connected(model, proxy.uri(), identity)) {
                    assertResumes(model, one, another, true);
                    assertThat(proxy.connections()).isEqualTo(4);
                    assertThat(storeThreads()).isGreaterThan(before);
                }
                until(() -> proxy.connections() == 0);
                until(() -> storeThreads() <= before);
            }
            proxy.stall(true);
            try (Replica one = Replica.start(model, proxy.uri(), identity)) {
                one.ask(prompt(100), 5).finished();
            }
            until(() -> storeThreads() <= before);
        }
    }

    private static long storeThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("lettuce")
                        || thread.getName().startsWith("setun-redis"))
                .count();
    }

    /** Has one answer a new prompt, and another one the same prompt, which it knows if Redis works. */
    private void assertResumes(ScriptedModel model, Replica one, Replica another, boolean works) throws Exception {
        int stored = resume(model, one, another, works);
        assertThat(stored).isEqualTo(works ? 99 : 0);
    }

    /** Tries until states are saved again, and then until one is found again. */
    private void awaitResumed(ScriptedModel model, Replica one, Replica another) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        for (long saved = one.saved(); one.saved() == saved; ) {
            one.ask(prompt(100), 3).finished();
            assertThat(System.nanoTime()).as("it takes too long").isLessThan(end);
        }
        while (resume(model, one, another, true) == 0) {
            assertThat(System.nanoTime()).as("it takes too long").isLessThan(end);
        }
    }

    private int resume(ScriptedModel model, Replica one, Replica another, boolean works) throws Exception {
        int[] prompt = prompt(100);
        long saved = one.saved();
        Recording first = one.ask(prompt, 3);
        first.finished();
        assertThat(first.ids()).isEqualTo(model.continuation(prompt, 3));
        if (works) {
            until(() -> one.saved() >= saved + 2);
        }
        long start = System.nanoTime();
        Recording recording = another.ask(prompt, 3);
        int stored = recording.finished().tokens().stored();
        // The time-out is a tenth of it.
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 3));
        assertThat(another.engine().status()).isEqualTo(new EngineStatus(0, 0, 4, true));
        return stored;
    }

    private int[] prompt(int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }
}
