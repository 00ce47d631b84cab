package org.setun;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.NamedShape;
import org.setun.engine.EngineSettings;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;
import org.setun.kernel.KernelSelection;
import org.setun.metrics.GatewayGauges;
import org.setun.model.KeyValueFormat;
import org.setun.store.RedisSettings;
import org.setun.web.ApiSettings;
import org.setun.web.Rates;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Setun's own settings, {@code setun.*}. Each can be given as an argument, {@code --setun.model.path=…}, as an environment
 * variable, {@code SETUN_MODEL_PATH}, or in an {@code application.yaml}. A name that does not exist is an error.
 *
 * @param model what is served
 * @param engine how it runs
 * @param server how it is reached
 * @param redis where states are kept that other processes may go on with
 * @param metrics what is measured
 */
@ConfigurationProperties(prefix = "setun", ignoreUnknownFields = false)
record SetunProperties(
        @DefaultValue Model model,
        @DefaultValue Engine engine,
        @DefaultValue Server server,
        @DefaultValue Redis redis,
        @DefaultValue Metrics metrics) {

    SetunProperties {
        if (model.randomShape() != null && redis.url() != null) {
            throw new IllegalArgumentException(
                    "setun.redis.url: expected none for random weights, whose states are worth nothing to anybody else");
        }
    }

    /**
     * What is served.
     *
     * @param path a checkpoint directory or file; by default the model that ships with Setun
     * @param name what clients call the model; by default the name of the checkpoint's directory, or that of the model
     *     that ships
     * @param randomShape serves a model of the sizes of a published one, such as {@code mmfree-1.3b}, with random weights and the
     *     tokenizer of the model that ships: it writes nonsense as fast as the real one writes sense, for load tests; by
     *     default none
     */
    record Model(
            @Nullable Path path,
            @Nullable String name,
            @Nullable String randomShape) {

        Model {
            // An empty environment variable is as good as none; for a path Spring sees to it.
            name = name == null || name.isBlank() ? null : name;
            randomShape = randomShape == null || randomShape.isBlank() ? null : randomShape;
            if (randomShape != null && NamedShape.named(randomShape).isEmpty()) {
                throw new IllegalArgumentException("setun.model.random-shape: expected one of "
                        + String.join(", ", NamedShape.names()) + ", found " + randomShape);
            }
            if (randomShape != null && path != null) {
                throw new IllegalArgumentException(
                        "setun.model.random-shape: expected no setun.model.path beside it, found " + path);
            }
        }

        /** Returns the shape of which the weights are random; empty where they are a checkpoint's. */
        Optional<NamedShape> shape() {
            return Optional.ofNullable(randomShape).flatMap(NamedShape::named);
        }
    }

    /**
     * How the model runs.
     *
     * @param threads how many threads compute, at least 1; by default one for each processor core
     * @param kernel the arithmetic: {@code auto} for the fastest that this machine can run, {@code scalar}, {@code
     *     vector-128}, {@code vector-256}, {@code vector-512}, {@code lookup-512}, or with products in C {@code native-vbmi512},
     *     {@code native-vnni512}, {@code native-avx2} or {@code native-neon}; by default {@code auto}
     * @param maxSequences how many requests run at once at most, at least 1; by default 32
     * @param maxQueuedRequests how many more may wait, at least 1; the next is refused with status 429; by default 256
     * @param maxQueuedTokens how many tokens the prompts of waiting requests may have together, at least 1; one that waits alone may
     *     have more, the next is refused with status 429; by default 1,000,000
     * @param maxBatchTokens how many tokens one step runs at most, at least {@code maxSequences}; by default 128
     * @param maxPrefillSlowdown how many times as long a step may take for the prompts that it reads beside answers under way, more
     *     than 1; a small number keeps streams even, a large one begins answers sooner; by default 2.5
     * @param contextLength how many tokens a prompt and its answer may have together, at least 2; by default the length
     *     that the model was trained for, beyond which recurrent models run on, but lose the thread
     * @param defaultMaxTokens how many tokens a request that does not say gets at most, at least 1; by default 256
     * @param keyValueFormat how attention keeps keys and values: {@code f32}, {@code f16} or
     *     {@code int8}; by default {@code f32}
     * @param keyValueMemory how much memory the keys and values of running requests may take together, for models with
     *     attention; taken when it is first needed, and by default 2 GB
     * @param prefixCacheMemory how much memory the states of prompts and answers may take that are kept for requests which begin
     *     alike, with their tokens and the bookkeeping, also that of keys and values; 0B keeps none, and no keys and values either;
     *     by default 256 MB
     * @param head how the tokens that can be chosen are found: {@code exact} computes the logits of all; {@code screened}
     *     estimates them from eight bits a weight, kept beside a head of floats, and computes those that can matter; {@code
     *     auto}, the default, screens large heads. All choose the same tokens
     * @param maxActivationSparsity the most activation sparsity that a request may ask for, at least 0 and less than 1; above
     *     0 a model whose layers are not all sparse by themselves takes twice the memory for its ternary weights. By default
     *     0.9 for models whose layers are all sparse, where it costs nothing, and 0 for others
     * @param drainTimeout how long running requests may go on after SIGTERM; by default 30 seconds
     */
    record Engine(
            @Nullable Integer threads,
            @DefaultValue(KernelSelection.AUTO) String kernel,
            @DefaultValue("32") int maxSequences,
            @DefaultValue("256") int maxQueuedRequests,
            @DefaultValue("1000000") long maxQueuedTokens,
            @DefaultValue("128") int maxBatchTokens,
            @DefaultValue("2.5") double maxPrefillSlowdown,
            @Nullable Integer contextLength,
            @DefaultValue("256") int defaultMaxTokens,
            @DefaultValue("f32") KeyValueFormat keyValueFormat,
            @DefaultValue("2GB") DataSize keyValueMemory,
            @DefaultValue("256MB") DataSize prefixCacheMemory,
            @DefaultValue("auto") HeadMode head,
            @Nullable Double maxActivationSparsity,
            @DefaultValue("30s") Duration drainTimeout) {

        Engine {
            if (threads != null) {
                requireAtLeast("setun.engine.threads", 1, threads);
            }
            requireAtLeast("setun.engine.max-sequences", 1, maxSequences);
            requireAtLeast("setun.engine.max-queued-requests", 1, maxQueuedRequests);
            requireAtLeast(
                    "setun.engine.max-batch-tokens (setun.engine.max-sequences must fit)",
                    maxSequences,
                    maxBatchTokens);
            if (maxQueuedTokens < 1) {
                throw new IllegalArgumentException(
                        "setun.engine.max-queued-tokens: expected 1 or more, found " + maxQueuedTokens);
            }
            if (!(maxPrefillSlowdown > 1)) {
                throw new IllegalArgumentException(
                        "setun.engine.max-prefill-slowdown: expected more than 1, found " + maxPrefillSlowdown);
            }
            if (prefixCacheMemory.isNegative()) {
                throw new IllegalArgumentException(
                        "setun.engine.prefix-cache-memory: expected 0B or more, found " + prefixCacheMemory);
            }
            if (contextLength != null) {
                requireAtLeast("setun.engine.context-length", 2, contextLength);
            }
            requireAtLeast("setun.engine.default-max-tokens", 1, defaultMaxTokens);
            if (keyValueMemory.isNegative()) {
                throw new IllegalArgumentException(
                        "setun.engine.key-value-memory: expected 0B or more, found " + keyValueMemory);
            }
            if (maxActivationSparsity != null && !(maxActivationSparsity >= 0 && maxActivationSparsity < 1)) {
                throw new IllegalArgumentException(
                        "setun.engine.max-activation-sparsity: expected at least 0 and less than 1, found "
                                + maxActivationSparsity);
            }
            if (drainTimeout.isNegative()) {
                throw new IllegalArgumentException(
                        "setun.engine.drain-timeout: expected 0 or more, found " + drainTimeout);
            }
        }

        /** Returns how the model is to be loaded. */
        LoadOptions loadOptions() {
            return new LoadOptions(
                    keyValueFormat,
                    maxActivationSparsity == null ? OptionalDouble.empty() : OptionalDouble.of(maxActivationSparsity),
                    head);
        }

        /** Returns the settings of the engine itself. */
        EngineSettings settings() {
            return new EngineSettings(
                    new QueueLimits(maxQueuedRequests, maxQueuedTokens),
                    new BatchLimits(maxSequences, maxBatchTokens, maxPrefillSlowdown),
                    new MemoryLimits(keyValueMemory.toBytes(), prefixCacheMemory.toBytes()),
                    drainTimeout);
        }
    }

    /**
     * How the model is reached. The address and the port are Spring's {@code server.address} and {@code server.port}.
     *
     * @param maxBodySize how large a request's body may be, at least 1 byte and less than 2 GB; by default 8 MB
     * @param maxPromptTokens how many tokens a prompt may have, at least 1; by default as many as the context holds
     * @param apiKeys the keys of which a request must have one, by name: each as it is or as {@code sha256:} and the hash that
     *     {@code printf %s "$KEY" | sha256sum} prints; by default none, and whoever reaches the port is let in
     * @param apiKeyFile a file with more of them, a {@code name:key} or {@code name:sha256:hash} a line, # before comments
     * @param requestsPerMinute how many requests the holder of each key may make in a minute, or without keys all clients
     *     together; 0, the default, for as many as they like
     * @param tokensPerMinute how many tokens of prompts and answers the same may use; 0, the default, for as many as they like
     * @param keyLimits other rates for some keys, by name
     * @param corsAllowedOrigins the origins whose pages browsers let use the API, such as {@code https://chat.example.org}, or
     *     {@code *} for all; by default none
     * @param keepAliveInterval after how long without a byte a stream gets a comment, lest its connection be taken for dead;
     *     0 for never, by default 15 seconds
     * @param accessLog whether each request of the API is logged, in one line without its text; by default it is
     */
    record Server(
            @DefaultValue("8MB") DataSize maxBodySize,
            @Nullable Integer maxPromptTokens,
            @DefaultValue Map<String, String> apiKeys,
            @Nullable Path apiKeyFile,
            @DefaultValue("0") long requestsPerMinute,
            @DefaultValue("0") long tokensPerMinute,
            @DefaultValue Map<String, KeyLimits> keyLimits,
            @DefaultValue List<String> corsAllowedOrigins,
            @DefaultValue("15s") Duration keepAliveInterval,
            @DefaultValue("true") boolean accessLog) {

        // A scheme, a host and perhaps a port, as a browser's Origin header has them.
        private static final Pattern ORIGIN = Pattern.compile("\\*|https?://[^/\\s?#]+");

        /**
         * The rates of one key.
         *
         * @param requestsPerMinute as in the settings for all; by default those
         * @param tokensPerMinute as in the settings for all; by default those
         */
        record KeyLimits(
                @Nullable Long requestsPerMinute, @Nullable Long tokensPerMinute) {}

        Server {
            if (maxBodySize.toBytes() < 1 || maxBodySize.toBytes() > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "setun.server.max-body-size: expected 1B to 2047MB, found " + maxBodySize);
            }
            if (maxPromptTokens != null) {
                requireAtLeast("setun.server.max-prompt-tokens", 1, maxPromptTokens);
            }
            requireRate("setun.server.requests-per-minute", requestsPerMinute);
            requireRate("setun.server.tokens-per-minute", tokensPerMinute);
            keyLimits.forEach((name, limits) -> {
                requireRate("setun.server.key-limits." + name + ".requests-per-minute", limits.requestsPerMinute());
                requireRate("setun.server.key-limits." + name + ".tokens-per-minute", limits.tokensPerMinute());
            });
            for (String origin : corsAllowedOrigins) {
                if (!ORIGIN.matcher(origin).matches()) {
                    throw new IllegalArgumentException("setun.server.cors-allowed-origins: expected origins such as"
                            + " https://chat.example.org, or *, found '" + origin + "'");
                }
            }
            if (keepAliveInterval.isNegative()) {
                throw new IllegalArgumentException(
                        "setun.server.keep-alive-interval: expected 0 or more, found " + keepAliveInterval);
            }
        }

        /** Returns what the API needs to know of this. */
        ApiSettings apiSettings() {
            return new ApiSettings(
                    Math.toIntExact(maxBodySize.toBytes()), keepAliveInterval, corsAllowedOrigins, accessLog);
        }

        /** Returns the rates of callers that have none of their own. */
        Rates rates() {
            return new Rates(requestsPerMinute, tokensPerMinute);
        }

        /** Returns the rates of callers that have their own, by the names of their keys. */
        Map<String, Rates> keyRates() {
            Map<String, Rates> rates = new HashMap<>();
            keyLimits.forEach((name, limits) -> rates.put(
                    name,
                    new Rates(
                            Objects.requireNonNullElse(limits.requestsPerMinute(), requestsPerMinute),
                            Objects.requireNonNullElse(limits.tokensPerMinute(), tokensPerMinute))));
            return rates;
        }

        /** Tells no keys: settings are printed where they are wrong. */
        @Override
        public String toString() {
            return "Server[maxBodySize=" + maxBodySize + ", maxPromptTokens=" + maxPromptTokens + ", apiKeys="
                    + apiKeys.keySet() + ", apiKeyFile=" + apiKeyFile + ", requestsPerMinute=" + requestsPerMinute
                    + ", tokensPerMinute=" + tokensPerMinute + ", keyLimits=" + keyLimits + ", corsAllowedOrigins="
                    + corsAllowedOrigins + ", keepAliveInterval=" + keepAliveInterval + ", accessLog=" + accessLog
                    + "]";
        }

        private static void requireRate(String name, @Nullable Long rate) {
            if (rate != null && (rate < 0 || rate > Rates.MAX)) {
                throw new IllegalArgumentException(name + ": expected 0 to " + Rates.MAX + ", found " + rate);
            }
        }
    }

    /**
     * What is measured.
     *
     * @param wattsPerCore the power of a busy core, by which {@code setun.energy.joules} is estimated where the processor's own account
     *     of its energy cannot be read; more than 0, by default 5, which is between a server's many cores and a desktop's few
     * @param vllmNames whether metrics are shown under vLLM's names as well, for dashboards and gateways that look for those; by default
     *     not
     * @param gateway the names of the gauges that a gateway looks for
     */
    record Metrics(
            @DefaultValue("5") double wattsPerCore,
            @DefaultValue("false") boolean vllmNames,
            @DefaultValue Gateway gateway) {

        /**
         * Under which names Prometheus sees what an inference gateway chooses servers by.
         *
         * @param queuedRequests the gauge of waiting requests; by default none but Setun's own
         * @param runningRequests that of running requests; likewise
         * @param cacheUtilization how full the sequences' memory is, from 0 to 1; likewise
         */
        record Gateway(
                @Nullable String queuedRequests,
                @Nullable String runningRequests,
                @Nullable String cacheUtilization) {

            // The data model of Prometheus.
            private static final Pattern NAME = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");

            Gateway {
                requireName("queued-requests", queuedRequests);
                requireName("running-requests", runningRequests);
                requireName("cache-utilization", cacheUtilization);
            }

            private static void requireName(String setting, @Nullable String name) {
                if (name != null && !NAME.matcher(name).matches()) {
                    throw new IllegalArgumentException("setun.metrics.gateway." + setting
                            + ": expected a name of letters, digits, _ and :, found '" + name + "'");
                }
            }

            /** Returns the names as gauges have them. */
            GatewayGauges.Names names() {
                return new GatewayGauges.Names(
                        Optional.ofNullable(queuedRequests),
                        Optional.ofNullable(runningRequests),
                        Optional.ofNullable(cacheUtilization));
            }
        }

        Metrics {
            if (!(wattsPerCore > 0 && wattsPerCore < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "setun.metrics.watts-per-core: expected more than 0, found " + wattsPerCore);
            }
        }
    }

    /**
     * Where the states of prompts and answers are kept as well, so that another replica of the same model, or a restarted one, goes on
     * with a conversation. Redis then holds what users wrote and were told: it must be as trusted as Setun. Off where
     * setun.engine.prefix-cache-memory is 0B.
     *
     * @param url {@code redis://[user:password@]host[:port][/database]}, or {@code rediss://…} for TLS; by default none, and nothing
     *     is kept
     * @param timeout how long a request waits for each of two replies before it does without, more than 0; by default 50 ms
     * @param ttl how long a state is kept after it was saved, at least 1 ms; by default an hour
     * @param maxEntrySize larger states are not kept, which matters to models with attention; 1 byte to 512 MB, by default 32 MB
     */
    record Redis(
            @Nullable String url,
            @DefaultValue("50ms") Duration timeout,
            @DefaultValue("1h") Duration ttl,
            @DefaultValue("32MB") DataSize maxEntrySize) {

        Redis {
            url = url == null || url.isBlank() ? null : url;
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("setun.redis.timeout: expected more than 0, found " + timeout);
            }
            if (ttl.toMillis() < 1) {
                throw new IllegalArgumentException("setun.redis.ttl: expected 1ms or more, found " + ttl);
            }
            if (maxEntrySize.toBytes() < 1 || maxEntrySize.toBytes() > RedisSettings.MAX_ENTRY_BYTES) {
                throw new IllegalArgumentException(
                        "setun.redis.max-entry-size: expected 1B to 512MB, found " + maxEntrySize);
            }
            if (url != null) {
                requireUnderstood(url, timeout, ttl);
            }
        }

        private static void requireUnderstood(String url, Duration timeout, Duration ttl) {
            try {
                new RedisSettings(url, timeout, ttl, 1);
            } catch (IllegalArgumentException e) {
                // Without its own words, which may hold the password.
                throw new IllegalArgumentException(
                        "setun.redis.url: expected redis://[user:password@]host[:port][/database], or rediss:// for TLS,"
                                + " found something else");
            }
        }

        /** Returns how Redis is used; empty if it is not. */
        Optional<RedisSettings> settings() {
            return Optional.ofNullable(url)
                    .map(uri -> new RedisSettings(uri, timeout, ttl, Math.toIntExact(maxEntrySize.toBytes())));
        }

        /** Prints everything but the address, which may hold a password. */
        @Override
        public String toString() {
            return "Redis[url=" + (url == null ? "none" : "given") + ", timeout=" + timeout + ", ttl=" + ttl
                    + ", maxEntrySize=" + maxEntrySize + "]";
        }
    }

    private static void requireAtLeast(String name, int min, int found) {
        if (found < min) {
            throw new IllegalArgumentException(name + ": expected " + min + " or more, found " + found);
        }
    }
}
