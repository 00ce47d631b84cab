package org.setun.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.setun.store.Waiting.until;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.engine.PrefixStore.Wanted;
import org.setun.engine.StoredPrefix;
import org.slf4j.LoggerFactory;

/** {@code rediss://}: a real Redis behind TLS, whose certificate the JVM's trust store has or has not. */
@Timeout(120)
final class RedisTlsTest {

    private static final int MAX_BYTES = 100_000;

    @TempDir
    private static Path directory;

    private static TestCertificate certificate;
    private static RealRedis redis;

    private final ModelIdentity model =
            ModelIdentity.of(List.of(UUID.randomUUID().toString()));
    private final int[] text = new Random(7).ints(200, 0, 50_000).toArray();
    private final Map<String, String> before = new HashMap<>();

    @BeforeAll
    static void startRedis() throws Exception {
        certificate = TestCertificate.in(directory);
        redis = RealRedis.startWithTls(certificate);
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    @AfterEach
    void trustAsBefore() {
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }

    @Test
    void statesTravelEncryptedToARedisThatIsTrusted() {
        trust("javax.net.ssl.trustStore", certificate.trustStore().toString());
        trust("javax.net.ssl.trustStorePassword", TestCertificate.PASSWORD);
        trust("javax.net.ssl.trustStoreType", "PKCS12");
        try (RedisPrefixStore store = new RedisPrefixStore(settings(), model)) {
            until(store::isConnected);
            byte[] state = new byte[50_000];
            new Random(8).nextBytes(state);
            store.save(new StoredPrefix(Arrays.copyOf(text, 150), 0, state));
            until(() -> store.status().saved() == 1);

            StoredPrefix found = store.find(new Wanted(text, 0, 64, 199)).orElseThrow();

            assertThat(found.state()).isEqualTo(state);
            assertThat(store.status().errors()).isZero();
            String clients = redis.commands(commands -> commands.info("clients") + commands.clientList());
            assertThat(clients).as("connections").contains("connected_clients:3");
        }
    }

    @Test
    void aCertificateThatNobodyVouchesForIsRefusedAndCostsAMiss() {
        Logger logger = (Logger) LoggerFactory.getLogger(RedisPrefixStore.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try (RedisPrefixStore store = new RedisPrefixStore(settings(), model)) {
            until(() -> List.copyOf(log.list).stream()
                    .anyMatch(event -> event.getFormattedMessage().startsWith("Redis cannot be reached")));
            assertThat(store.isConnected()).isFalse();
            assertThat(store.find(new Wanted(text, 0, 64, 199))).isEmpty();
        } finally {
            logger.detachAppender(log);
        }
    }

    private void trust(String name, String value) {
        before.putIfAbsent(name, System.getProperty(name));
        System.setProperty(name, value);
    }

    private static RedisSettings settings() {
        return new RedisSettings(redis.tlsUri(), Duration.ofSeconds(2), Duration.ofMinutes(10), MAX_BYTES);
    }
}
