package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.SetunProperties.Server.KeyLimits;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.NamedShape;
import org.setun.engine.EngineSettings;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;
import org.setun.model.KeyValueFormat;
import org.setun.store.RedisSettings;
import org.setun.web.ApiSettings;
import org.setun.web.Rates;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.util.unit.DataSize;

final class SetunPropertiesTest {

    private static final SetunProperties DEFAULTS = new SetunProperties(
            new SetunProperties.Model(null, null, null),
            new SetunProperties.Engine(
                    null,
                    "auto",
                    32,
                    256,
                    1_000_000,
                    128,
                    2.5,
                    null,
                    256,
                    KeyValueFormat.F32,
                    DataSize.ofGigabytes(2),
                    DataSize.ofMegabytes(256),
                    HeadMode.AUTO,
                    null,
                    Duration.ofSeconds(30)),
            new SetunProperties.Server(
                    DataSize.ofMegabytes(8),
                    null,
                    Map.of(),
                    null,
                    0,
                    0,
                    Map.of(),
                    List.of(),
                    Duration.ofSeconds(15),
                    true),
            new SetunProperties.Redis(null, Duration.ofMillis(50), Duration.ofHours(1), DataSize.ofMegabytes(32)),
            new SetunProperties.Metrics(5, false, new SetunProperties.Metrics.Gateway(null, null, null)));

    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withUserConfiguration(Settings.class);

    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties(SetunProperties.class)
    static class Settings {}

    @Test
    void theDefaultsAreThoseOfTheDocumentation() {
        assertBound(DEFAULTS);
    }

    @Test
    void everySettingIsMapped() {
        assertBound(
                new SetunProperties(
                        new SetunProperties.Model(Path.of("/models/m"), "lab/m", null),
                        new SetunProperties.Engine(
                                3,
                                "scalar",
                                4,
                                5,
                                5000,
                                6,
                                1.25,
                                7,
                                8,
                                KeyValueFormat.F16,
                                DataSize.ofGigabytes(9),
                                DataSize.ofMegabytes(10),
                                HeadMode.SCREENED,
                                0.8,
                                Duration.ofMinutes(2)),
                        new SetunProperties.Server(
                                DataSize.ofKilobytes(9),
                                10,
                                Map.of("alice", "a-key", "bob", "b-key"),
                                Path.of("/etc/keys"),
                                11,
                                12,
                                Map.of("alice", new KeyLimits(13L, null), "bob", new KeyLimits(null, 0L)),
                                List.of("https://a.example", "http://localhost:3000"),
                                Duration.ofMillis(14),
                                false),
                        new SetunProperties.Redis(
                                "rediss://user:secret@redis:7000/3",
                                Duration.ofMillis(20),
                                Duration.ofDays(2),
                                DataSize.ofMegabytes(5)),
                        new SetunProperties.Metrics(
                                7.5, true, new SetunProperties.Metrics.Gateway("a:queued", "b_running", "c"))),
                "setun.metrics.gateway.queued-requests=a:queued",
                "setun.metrics.gateway.running-requests=b_running",
                "setun.metrics.gateway.cache-utilization=c",
                "setun.metrics.watts-per-core=7.5",
                "setun.model.path=/models/m",
                "setun.model.name=lab/m",
                "setun.engine.threads=3",
                "setun.engine.kernel=scalar",
                "setun.engine.head=screened",
                "setun.engine.max-sequences=4",
                "setun.engine.max-queued-requests=5",
                "setun.engine.max-queued-tokens=5000",
                "setun.engine.max-batch-tokens=6",
                "setun.engine.max-prefill-slowdown=1.25",
                "setun.engine.context-length=7",
                "setun.engine.default-max-tokens=8",
                "setun.engine.key-value-format=f16",
                "setun.engine.key-value-memory=9GB",
                "setun.engine.prefix-cache-memory=10MB",
                "setun.engine.max-activation-sparsity=0.8",
                "setun.engine.drain-timeout=2m",
                "setun.server.max-body-size=9KB",
                "setun.server.max-prompt-tokens=10",
                "setun.server.api-keys.alice=a-key",
                "setun.server.api-keys.bob=b-key",
                "setun.server.api-key-file=/etc/keys",
                "setun.server.requests-per-minute=11",
                "setun.server.tokens-per-minute=12",
                "setun.server.key-limits.alice.requests-per-minute=13",
                "setun.server.key-limits.bob.tokens-per-minute=0",
                "setun.server.cors-allowed-origins=https://a.example,http://localhost:3000",
                "setun.server.keep-alive-interval=14ms",
                "setun.server.access-log=false",
                "setun.redis.url=rediss://user:secret@redis:7000/3",
                "setun.redis.timeout=20ms",
                "setun.redis.ttl=2d",
                "setun.redis.max-entry-size=5MB",
                "setun.metrics.vllm-names=true");
    }

    @Test
    void environmentVariablesAreMappedAndOthersIgnored() {
        SetunProperties properties = fromEnvironment(
                Map.of("SETUN_MODEL_PATH", "/models/m", "SETUN_ENGINE_MAXSEQUENCES", "4", "SETUN_HOME", "x"));

        assertThat(properties.model().path()).isEqualTo(Path.of("/models/m"));
        assertThat(properties.engine().maxSequences()).isEqualTo(4);
    }

    @Test
    void keysAndTheirLimitsCanComeFromTheEnvironment() {
        SetunProperties.Server server = fromEnvironment(Map.of(
                        "SETUN_SERVER_APIKEYS_ALICE",
                        "a-key",
                        "SETUN_SERVER_APIKEYFILE",
                        "/etc/keys",
                        "SETUN_SERVER_KEYLIMITS_ALICE_REQUESTSPERMINUTE",
                        "7",
                        "SETUN_SERVER_CORSALLOWEDORIGINS",
                        "https://a.example"))
                .server();

        assertThat(server.apiKeys()).isEqualTo(Map.of("alice", "a-key"));
        assertThat(server.apiKeyFile()).isEqualTo(Path.of("/etc/keys"));
        assertThat(server.keyLimits()).isEqualTo(Map.of("alice", new KeyLimits(7L, null)));
        assertThat(server.corsAllowedOrigins()).containsExactly("https://a.example");
    }

    @Test
    void aKeysOwnRatesReplaceThoseOfAll() {
        runner.withPropertyValues(
                        "setun.server.requests-per-minute=60",
                        "setun.server.tokens-per-minute=9000",
                        "setun.server.key-limits.alice.requests-per-minute=600",
                        "setun.server.key-limits.bob.tokens-per-minute=0")
                .run(context -> {
                    SetunProperties.Server server =
                            context.getBean(SetunProperties.class).server();
                    assertThat(server.rates()).isEqualTo(new Rates(60, 9000));
                    assertThat(server.keyRates())
                            .isEqualTo(Map.of("alice", new Rates(600, 9000), "bob", new Rates(60, 0)));
                });
    }

    @Test
    void theApiGetsItsSettings() {
        assertThat(DEFAULTS.server().apiSettings())
                .isEqualTo(new ApiSettings(8 << 20, Duration.ofSeconds(15), List.of(), true));
    }

    @Test
    void keysAreNotPrinted() {
        runner.withPropertyValues("setun.server.api-keys.alice=open-sesame")
                .run(context -> assertThat(
                                context.getBean(SetunProperties.class).toString())
                        .contains("apiKeys=[alice]")
                        .doesNotContain("sesame"));
    }

    @Test
    void aKeyWithoutANameIsExplainedAndNotPrinted() {
        runner.withPropertyValues("setun.server.api-keys=open-sesame")
                .run(context -> assertThat(explain(Objects.requireNonNull(context.getStartupFailure())))
                        .isEqualTo("setun.server.api-keys: expected a name for each key, such as"
                                + " setun.server.api-keys.alice, found a value without a name"));
    }

    @Test
    void anEmptyEnvironmentVariableIsAsGoodAsNone() {
        assertThat(fromEnvironment(Map.of(
                        "SETUN_MODEL_PATH",
                        "",
                        "SETUN_MODEL_NAME",
                        "",
                        "SETUN_MODEL_RANDOMSHAPE",
                        "",
                        "SETUN_REDIS_URL",
                        "")))
                .isEqualTo(DEFAULTS);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            setun.engine.threads=0               | setun.engine.threads: expected 1 or more, found 0
            setun.engine.max-sequences=0         | setun.engine.max-sequences: expected 1 or more, found 0
            setun.engine.max-queued-requests=-1  | setun.engine.max-queued-requests: expected 1 or more, found -1
            setun.engine.max-batch-tokens=31     | setun.engine.max-batch-tokens (setun.engine.max-sequences must fit): expected 32 or more, found 31
            setun.engine.max-queued-tokens=0     | setun.engine.max-queued-tokens: expected 1 or more, found 0
            setun.engine.max-prefill-slowdown=1  | setun.engine.max-prefill-slowdown: expected more than 1, found 1.0
            setun.engine.prefix-cache-memory=-1B | setun.engine.prefix-cache-memory: expected 0B or more, found -1B
            setun.engine.context-length=1        | setun.engine.context-length: expected 2 or more, found 1
            setun.engine.default-max-tokens=0    | setun.engine.default-max-tokens: expected 1 or more, found 0
            setun.engine.key-value-memory=-1B    | setun.engine.key-value-memory: expected 0B or more, found -1B
            setun.engine.max-activation-sparsity=1    | setun.engine.max-activation-sparsity: expected at least 0 and less than 1, found 1.0
            setun.engine.max-activation-sparsity=-0.1 | setun.engine.max-activation-sparsity: expected at least 0 and less than 1, found -0.1
            setun.engine.max-activation-sparsity=NaN  | setun.engine.max-activation-sparsity: expected at least 0 and less than 1, found NaN
            setun.engine.drain-timeout=-1s       | setun.engine.drain-timeout: expected 0 or more, found PT-1S
            setun.server.max-body-size=0         | setun.server.max-body-size: expected 1B to 2047MB, found 0B
            setun.server.max-body-size=2GB       | setun.server.max-body-size: expected 1B to 2047MB, found 2147483648B
            setun.server.max-prompt-tokens=0     | setun.server.max-prompt-tokens: expected 1 or more, found 0
            setun.server.requests-per-minute=-1  | setun.server.requests-per-minute: expected 0 to 1000000000, found -1
            setun.server.tokens-per-minute=1000000001 | setun.server.tokens-per-minute: expected 0 to 1000000000, found 1000000001
            setun.server.key-limits.al.requests-per-minute=-2 | setun.server.key-limits.al.requests-per-minute: expected 0 to 1000000000, found -2
            setun.server.key-limits.al.tokens-per-minute=-2   | setun.server.key-limits.al.tokens-per-minute: expected 0 to 1000000000, found -2
            setun.server.cors-allowed-origins=a.example       | setun.server.cors-allowed-origins: expected origins such as https://chat.example.org, or *, found 'a.example'
            setun.server.cors-allowed-origins=http://a.de/    | setun.server.cors-allowed-origins: expected origins such as https://chat.example.org, or *, found 'http://a.de/'
            setun.server.keep-alive-interval=-1s | setun.server.keep-alive-interval: expected 0 or more, found PT-1S
            setun.redis.url=http://:secret@redis | setun.redis.url: expected redis://[user:password@]host[:port][/database], or rediss:// for TLS, found something else
            setun.redis.url=redis://             | setun.redis.url: expected redis://[user:password@]host[:port][/database], or rediss:// for TLS, found something else
            setun.redis.timeout=0ms              | setun.redis.timeout: expected more than 0, found PT0S
            setun.redis.ttl=0s                   | setun.redis.ttl: expected 1ms or more, found PT0S
            setun.redis.max-entry-size=0B        | setun.redis.max-entry-size: expected 1B to 512MB, found 0B
            setun.redis.max-entry-size=513MB     | setun.redis.max-entry-size: expected 1B to 512MB, found 537919488B
            setun.model.random-shape=gpt-4       | setun.model.random-shape: expected one of bitnet-2b4t, mmfree-370m, mmfree-1.3b, mmfree-2.7b, found gpt-4
            setun.metrics.gateway.queued-requests=a-b | setun.metrics.gateway.queued-requests: expected a name of letters, digits, _ and :, found 'a-b'
            setun.model.path=                    | setun.model.path: there is no such setting, or it needs a value
            setun.modle.path=x                   | setun.modle.path: there is no such setting, or it needs a value
            """)
    void aWrongSettingIsExplained(String setting, String description) {
        runner.withPropertyValues(setting)
                .run(context -> assertThat(explain(Objects.requireNonNull(context.getStartupFailure())))
                        .isEqualTo(description));
    }

    @Test
    void aRandomModelIsNamedByItsShapeAlone() {
        runner.withPropertyValues("setun.model.random-shape=mmfree-1.3b")
                .run(context -> assertThat(
                                context.getBean(SetunProperties.class).model().shape())
                        .contains(NamedShape.MMFREE_1_3B));
        assertThat(DEFAULTS.model().shape()).isEmpty();
        runner.withPropertyValues("setun.model.random-shape=mmfree-370m", "setun.model.path=/models/m")
                .run(context -> assertThat(explain(Objects.requireNonNull(context.getStartupFailure())))
                        .isEqualTo(
                                "setun.model.random-shape: expected no setun.model.path beside it, found /models/m"));
        runner.withPropertyValues("setun.model.random-shape=mmfree-370m", "setun.redis.url=redis://redis")
                .run(context -> assertThat(explain(Objects.requireNonNull(context.getStartupFailure())))
                        .isEqualTo(
                                "setun.redis.url: expected none for random weights, whose states are worth nothing to"
                                        + " anybody else"));
    }

    @Test
    void aSettingOfTheWrongTypeIsLeftToSpring() {
        runner.withPropertyValues("setun.engine.threads=many")
                .run(context -> assertThat(new InvalidSettingFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure())))
                        .isNull());
    }

    @Test
    void theEngineGetsItsSettings() {
        assertThat(new SetunProperties.Engine(
                                1,
                                "auto",
                                2,
                                3,
                                4000,
                                4,
                                1.5,
                                5,
                                6,
                                KeyValueFormat.F32,
                                DataSize.ofMegabytes(64),
                                DataSize.ofMegabytes(3),
                                HeadMode.AUTO,
                                0.5,
                                Duration.ofSeconds(7))
                        .settings())
                .isEqualTo(new EngineSettings(
                        new QueueLimits(3, 4000),
                        new BatchLimits(2, 4, 1.5),
                        new MemoryLimits(64L << 20, 3L << 20),
                        Duration.ofSeconds(7)));
    }

    @Test
    void theStoreGetsItsSettingsAndNobodySeesThePassword() {
        assertThat(DEFAULTS.redis().settings()).isEmpty();
        runner.withPropertyValues("setun.redis.url=redis://:secret@redis").run(context -> {
            SetunProperties properties = context.getBean(SetunProperties.class);
            assertThat(properties.redis().settings())
                    .contains(new RedisSettings(
                            "redis://:secret@redis", Duration.ofMillis(50), Duration.ofHours(1), 32 << 20));
            assertThat(properties.toString()).contains("Redis[url=given").doesNotContain("secret");
        });
    }

    @Test
    void theModelIsLoadedForTheSparsityThatRequestsMayAskFor() {
        assertThat(DEFAULTS.engine().loadOptions()).isEqualTo(LoadOptions.of(KeyValueFormat.F32));
        runner.withPropertyValues(
                        "setun.engine.max-activation-sparsity=0.6",
                        "setun.engine.key-value-format=f16",
                        "setun.engine.head=exact")
                .run(context -> assertThat(
                                context.getBean(SetunProperties.class).engine().loadOptions())
                        .isEqualTo(new LoadOptions(KeyValueFormat.F16, OptionalDouble.of(0.6), HeadMode.EXACT)));
    }

    private SetunProperties fromEnvironment(Map<String, Object> variables) {
        SetunProperties[] bound = new SetunProperties[1];
        String name = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
        runner.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .replace(name, new SystemEnvironmentPropertySource(name, variables)))
                .run(context -> bound[0] = context.getBean(SetunProperties.class));
        return bound[0];
    }

    private void assertBound(SetunProperties expected, String... values) {
        runner.withPropertyValues(values)
                .run(context ->
                        assertThat(context.getBean(SetunProperties.class)).isEqualTo(expected));
    }

    private static String explain(Throwable failure) {
        return Objects.requireNonNull(new InvalidSettingFailureAnalyzer().analyze(failure))
                .getDescription();
    }
}
