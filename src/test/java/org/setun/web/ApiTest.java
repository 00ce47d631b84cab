package org.setun.web;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelLoader;
import org.setun.engine.Engine;
import org.setun.engine.EngineActivity;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.generation.GenerationSettings;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;
import org.setun.model.Model;
import org.setun.tokenizer.Tokenizer;
import org.setun.tokenizer.TokenizerFormatException;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.core.env.Environment;

/** Starts the API on a free port, over a generator that the test scripts. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@SpringBootTest(classes = ApiTest.Application.class, webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@interface ApiTest {

    /** The API without an engine that answers; the one that shows what it does is the test's. No stereotype, lest the application's own component scan find it. */
    @EnableAutoConfiguration
    @ComponentScan("org.setun.web")
    class Application {

        /** How many bytes a body may have here. */
        static final int MAX_BODY_SIZE = 100_000;

        /** How many tokens a request counts for that does not say, where tokens are limited. */
        static final int DEFAULT_MAX_TOKENS = 16;

        @Bean
        ScriptedGenerator generator() {
            return new ScriptedGenerator();
        }

        @Bean
        ScriptedEmbedder embedder() {
            return new ScriptedEmbedder();
        }

        /** A model with layers of all kinds. */
        @Bean
        Model model() throws Exception {
            return ModelLoader.load(
                            Path.of("src/test/resources/golden/composed-tiny/peer-block-topk"),
                            KernelSelection.select("auto", 1),
                            LoadOptions.of(KeyValueFormat.F32),
                            LoadProgress.NONE)
                    .model();
        }

        @Bean
        Engine engine(Model model) {
            return new Engine(model, EngineSettings.DEFAULTS, EngineObserver.NONE);
        }

        @Bean(destroyMethod = "")
        EngineActivity engineActivity(Engine engine) {
            return engine.activity();
        }

        @Bean
        Tokenizer tokenizer() throws TokenizerFormatException {
            return Tokenizer.load(Path.of("src/test/resources/golden/tokenizer/metaspace-llama2"));
        }

        @Bean
        GenerationSettings generationSettings() {
            return new GenerationSettings(100, 10, Set.of());
        }

        @Bean
        RecordingObserver observer() {
            return new RecordingObserver();
        }

        @Bean
        ServedModel servedModel() {
            return new ServedModel(
                    "lab/tiny",
                    Instant.ofEpochSecond(1_700_000_000),
                    new ServedModel.SamplingDefaults(0.7, 0, 0.9),
                    0.5,
                    Map.of("architecture", "mmfree"));
        }

        /** Tests set {@code test.*} for what they need of it. */
        @Bean
        ApiSettings apiSettings(
                @Value("${test.keep-alive:0s}") Duration keepAlive,
                @Value("${test.origins:}") List<String> origins,
                @Value("${test.access-log:false}") boolean accessLog) {
            return new ApiSettings(MAX_BODY_SIZE, keepAlive, origins, accessLog);
        }

        @Bean
        ApiKeys apiKeys(Environment environment) {
            Map<String, String> keys = Binder.get(environment)
                    .bind("test.keys", Bindable.mapOf(String.class, String.class))
                    .orElse(Map.of());
            return ApiKeys.of(keys, null);
        }

        @Bean
        ManualTime manualTime() {
            return new ManualTime();
        }

        @Bean
        RateLimits rateLimits(
                ApiKeys keys,
                @Value("${test.requests:0}") long requests,
                @Value("${test.tokens:0}") long tokens,
                ManualTime time) {
            return new RateLimits(keys, new Rates(requests, tokens), Map.of(), DEFAULT_MAX_TOKENS, time);
        }
    }
}
