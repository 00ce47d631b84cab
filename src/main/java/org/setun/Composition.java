package org.setun;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.setun.architecture.GenerationDefaults;
import org.setun.architecture.ModelReport;
import org.setun.engine.Engine;
import org.setun.engine.EngineActivity;
import org.setun.engine.PrefixStore;
import org.setun.generation.Embedder;
import org.setun.generation.EngineEmbedder;
import org.setun.generation.EngineGenerator;
import org.setun.generation.GenerationObserver;
import org.setun.generation.GenerationSettings;
import org.setun.generation.Generator;
import org.setun.kernel.KernelSelection;
import org.setun.metrics.EnergyMeter;
import org.setun.metrics.GatewayGauges;
import org.setun.metrics.SetunMetrics;
import org.setun.metrics.VllmNames;
import org.setun.model.StateLayout;
import org.setun.store.ModelIdentity;
import org.setun.store.RedisPrefixStore;
import org.setun.store.RedisSettings;
import org.setun.store.StoreObserver;
import org.setun.tokenizer.Tokenizer;
import org.setun.web.ApiKeys;
import org.setun.web.ApiSettings;
import org.setun.web.RateLimits;
import org.setun.web.RequestObserver;
import org.setun.web.ServedModel;
import org.setun.web.ServedModel.SamplingDefaults;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.info.BuildProperties;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationRegistryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * How the parts become one server. The model is loaded beside everything else, see {@link EarlyCheckpoint}, and the port opens
 * after that: whoever can connect finds a model, and whoever cannot need not tell "loading" from "busy".
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(SetunProperties.class)
class Composition {

    @Bean
    ServedCheckpoint checkpoint(SetunProperties properties, ObjectProvider<EarlyCheckpoint> early) {
        EarlyCheckpoint loading = early.getIfAvailable();
        return loading == null ? ServedCheckpoint.load(properties) : loading.take(properties);
    }

    @Bean
    SetunMetrics metrics(
            MeterRegistry registry,
            ObjectProvider<PrometheusRegistry> prometheus,
            ServedCheckpoint checkpoint,
            SetunProperties properties) {
        SetunMetrics metrics = new SetunMetrics(registry, checkpoint.name());
        ModelReport report = checkpoint.loaded().report();
        metrics.modelLoaded(
                new SetunMetrics.ModelInfo(
                        report.family(), report.quantization(), report.parameters(), report.experts()),
                checkpoint.loadDuration());
        for (ModelReport.Ternary weights : report.ternary()) {
            String layer = weights.layer().isPresent()
                    ? Integer.toString(weights.layer().getAsInt())
                    : weights.matrix();
            metrics.weightsLoaded(layer, weights.matrix(), weights.negatives(), weights.zeros(), weights.positives());
        }
        checkpoint.loaded().model().weightBytesByForm().forEach(metrics::weightBytes);
        metrics.observeEnergy(EnergyMeter.open(properties.metrics().wattsPerCore()));
        if (properties.metrics().vllmNames()) {
            prometheus.ifAvailable(VllmNames::show);
        }
        return metrics;
    }

    @Bean
    MemoryBandwidth memoryBandwidth(Engine engine, SetunProperties properties, SetunMetrics metrics) {
        Integer threads = properties.engine().threads();
        MemoryBandwidth bandwidth = new MemoryBandwidth(
                threads == null ? KernelSelection.physicalCores() : threads,
                () -> engine.status().running() + engine.status().waiting() == 0);
        metrics.observeBandwidth(bandwidth::bytesPerSecond);
        return bandwidth;
    }

    @Bean
    Tracing tracing(Environment environment) {
        return Tracing.of(environment);
    }

    @Bean
    ObservationRegistryCustomizer<ObservationRegistry> serverSpans(Tracing tracing) {
        return registry -> tracing.on().ifPresent(traces -> traces.observe(registry));
    }

    /** Makes the second tier of the prefix cache, if there is one. It says nothing of the server's health: nobody needs it. */
    @Bean
    PrefixStore prefixStore(
            ServedCheckpoint checkpoint,
            SetunProperties properties,
            SetunMetrics metrics,
            ObjectProvider<BuildProperties> build) {
        RedisSettings settings = properties.redis().settings().orElse(null);
        if (settings == null) {
            return PrefixStore.NONE;
        }
        StoreObserver observer = new StoreObserver() {
            @Override
            public void saved(Duration duration) {
                metrics.stateSaved(duration);
            }

            @Override
            public void restored(Duration duration) {
                metrics.stateRestored(duration);
            }
        };
        RedisPrefixStore store = new RedisPrefixStore(settings, identity(checkpoint, properties, build), observer);
        StateLayout layout = checkpoint.loaded().model().stateLayout();
        metrics.observeStore(store::status, layout.recurrentBytes() > 0, layout.pageBytes() > 0);
        return store;
    }

    /** Returns all that the bits of a state depend on. */
    private static ModelIdentity identity(
            ServedCheckpoint checkpoint, SetunProperties properties, ObjectProvider<BuildProperties> build) {
        return ModelIdentity.of(List.of(
                checkpoint.loaded().digest().orElseThrow(),
                properties.engine().keyValueFormat().name(),
                checkpoint.loaded().model().stateLayout().toString(),
                ByteOrder.nativeOrder().toString(),
                // Another Setun may order a sum otherwise, and Java's sines and exponentials may differ in the last
                // bit.
                Optional.ofNullable(build.getIfAvailable())
                        .map(BuildProperties::getVersion)
                        .orElse("development"),
                System.getProperty("os.arch"),
                Runtime.version().toString()));
    }

    // Closed before the checkpoint whose weights it uses: Spring destroys a bean before those it was made from.
    @Bean
    Engine engine(
            ServedCheckpoint checkpoint,
            SetunProperties properties,
            SetunMetrics metrics,
            Tracing tracing,
            PrefixStore prefixStore,
            ObjectProvider<PrometheusRegistry> prometheus) {
        try {
            Engine engine = new Engine(
                    checkpoint.loaded().model(), properties.engine().settings(), tracing.beside(metrics), prefixStore);
            metrics.observe(engine::status);
            metrics.observeCache(engine::cache, engine.memory());
            metrics.observeActivity(engine.activity());
            metrics.observeMemory(engine::memory);
            GatewayGauges.Names names = properties.metrics().gateway().names();
            prometheus.ifAvailable(
                    registry -> GatewayGauges.show(registry, names, checkpoint.name(), engine::status, engine::memory));
            return engine;
        } catch (IllegalStateException e) {
            throw new ModelUnavailableException(
                    String.valueOf(e.getMessage()),
                    "Lower setun.engine.max-sequences, or give the process more memory.",
                    e);
        }
    }

    // The engine's.
    @Bean(destroyMethod = "")
    EngineActivity engineActivity(Engine engine) {
        return engine.activity();
    }

    @Bean
    GenerationSettings generationSettings(ServedCheckpoint checkpoint, SetunProperties properties) {
        Integer length = properties.engine().contextLength();
        int contextLength =
                length == null ? checkpoint.loaded().model().dimensions().maxPositions() : length;
        Integer maxPromptTokens = properties.server().maxPromptTokens();
        return new GenerationSettings(
                contextLength,
                maxPromptTokens == null ? contextLength : maxPromptTokens,
                properties.engine().defaultMaxTokens(),
                checkpoint.stopTokens());
    }

    // The checkpoint closes it.
    @Bean(destroyMethod = "")
    Tokenizer tokenizer(ServedCheckpoint checkpoint) {
        return checkpoint.tokenizer();
    }

    @Bean
    GenerationObserver generationObserver(SetunMetrics metrics) {
        return new GenerationObserver() {
            @Override
            public void tokenized(Duration duration) {
                metrics.tokenized(duration);
            }

            @Override
            public void tokenDiscarded() {
                metrics.tokenDiscarded();
            }
        };
    }

    @Bean
    Generator generator(Engine engine, Tokenizer tokenizer, GenerationSettings settings, GenerationObserver observer) {
        return new EngineGenerator(engine, tokenizer, settings, observer);
    }

    @Bean
    Embedder embedder(Engine engine, Tokenizer tokenizer, GenerationSettings settings, GenerationObserver observer) {
        return new EngineEmbedder(engine, tokenizer, settings, observer);
    }

    @Bean
    ServedModel servedModel(
            ServedCheckpoint checkpoint, GenerationSettings settings, ObjectProvider<BuildProperties> build) {
        ModelReport report = checkpoint.loaded().report();
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("architecture", report.family());
        details.put("parameters", report.parameters());
        details.put("layers", report.layers());
        details.put("vocab_size", checkpoint.loaded().model().dimensions().vocabSize());
        // vLLM's name for it, which its clients look for.
        details.put("max_model_len", settings.contextLength());
        details.put("max_activation_sparsity", checkpoint.loaded().maxActivationSparsity());
        ServedModel.SamplingDefaults sampling = sampling(checkpoint.loaded().defaults());
        details.put(
                "default_sampling",
                Map.of("temperature", sampling.temperature(), "top_k", sampling.topK(), "top_p", sampling.topP()));
        return new ServedModel(
                checkpoint.name(),
                checkpoint.created().or(() -> buildTime(build)).orElseGet(Instant::now),
                sampling,
                checkpoint.loaded().maxActivationSparsity(),
                details);
    }

    /** Returns when this Setun was built, and with it the model that ships; empty in a development environment. */
    private static Optional<Instant> buildTime(ObjectProvider<BuildProperties> build) {
        return Optional.ofNullable(build.getIfAvailable()).map(BuildProperties::getTime);
    }

    @Bean
    ApiSettings apiSettings(SetunProperties properties) {
        return properties.server().apiSettings();
    }

    @Bean
    ApiKeys apiKeys(SetunProperties properties) {
        return ApiKeys.of(properties.server().apiKeys(), properties.server().apiKeyFile());
    }

    @Bean
    RateLimits rateLimits(SetunProperties properties, ApiKeys keys) {
        SetunProperties.Server server = properties.server();
        return new RateLimits(
                keys, server.rates(), server.keyRates(), properties.engine().defaultMaxTokens());
    }

    @Bean
    RequestObserver requestObserver(SetunMetrics metrics, Tracing tracing, ServedCheckpoint checkpoint) {
        return new RequestObserver() {
            @Override
            public void firstText(Duration sinceArrival) {
                metrics.firstText(sinceArrival);
            }

            @Override
            public void rateLimited() {
                metrics.rateLimited();
            }

            @Override
            public void unread() {
                metrics.unread();
            }

            @Override
            public void submitted(String endpoint, Map<String, Object> attributes, List<String> ids) {
                // OpenTelemetry's words for what the endpoints do.
                String operation = endpoint.startsWith("chat") ? "chat" : "text_completion";
                tracing.on().ifPresent(traces -> traces.submitted(operation, checkpoint.name(), attributes, ids));
            }

            @Override
            public void refused(List<String> ids) {
                tracing.on().ifPresent(traces -> traces.refused(ids));
            }

            @Override
            public void streamOpened() {
                metrics.streamOpened();
            }

            @Override
            public void streamClosed() {
                metrics.streamClosed();
            }

            @Override
            public void requestEnded(Ended end) {
                metrics.requestEnded(
                        end.endpoint(), end.stream(), end.outcome().name().toLowerCase(Locale.ROOT), end.duration());
            }
        };
    }

    /** Returns what the model's authors recommend; what they say nothing of stays as OpenAI documents it. */
    static SamplingDefaults sampling(GenerationDefaults defaults) {
        boolean greedy = !defaults.sampling().orElse(true);
        return new SamplingDefaults(
                greedy ? 0 : defaults.temperature().orElse(SamplingDefaults.NEUTRAL.temperature()),
                defaults.topK().orElse(SamplingDefaults.NEUTRAL.topK()),
                defaults.topP().orElse(SamplingDefaults.NEUTRAL.topP()));
    }
}
