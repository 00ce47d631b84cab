package org.setun.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.setun.engine.CacheStatus;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineStatus;
import org.setun.engine.FinishReason;
import org.setun.engine.RequestReport;
import org.setun.engine.StepReport;
import org.setun.engine.StoreStatus;
import org.setun.engine.TokenCounts;

/**
 * All of Setun's metrics, for one model, whose name is their tag {@code model}. Every meter exists from the start, so
 * that a rate over its first value is right and a dashboard has no holes. Thread-safe.
 */
public final class SetunMetrics implements EngineObserver {

    private static final String RAM = "ram";
    private static final String REDIS = "redis";
    private static final String QUERIES = "Sequences looked up in the prefix cache";
    private static final String HITS = "Sequences of which the prefix cache knew a beginning";

    private final MeterRegistry registry;
    private final Tags model;
    private final Timer firstText;
    private final Timer interTokenLatency;
    private final Timer timePerOutputToken;
    private final Timer queueTime;
    private final Timer prefillTime;
    private final Timer decodeTime;
    private final Map<FinishReason, Counter> finished;
    private final Counter failed;
    private final Map<EngineRejectedException.Reason, Counter> rejected;
    private final Counter rateLimited;
    private final Counter promptTokens;
    private final Counter cachedTokens;
    private final Counter storedTokens;
    private final Counter generatedTokens;
    private final DistributionSummary batchSize;
    private final DistributionSummary prefillStepTokens;
    private final DistributionSummary decodeStepTokens;
    private final Timer prefillStepDuration;
    private final Timer decodeStepDuration;
    private final Timer mixedStepDuration;
    private final DistributionSummary requestPromptTokens;
    private final DistributionSummary requestOutputTokens;

    /** Creates the meters in {@code registry} for the model {@code modelName}. */
    public SetunMetrics(MeterRegistry registry, String modelName) {
        this.registry = registry;
        this.model = Tags.of("model", modelName);
        this.firstText = timer(
                "setun.time.to.first.token",
                "From the arrival of a request to the first text of its answer",
                Buckets.firstToken());
        this.interTokenLatency =
                timer("setun.inter.token.latency", "Between two tokens of an answer, in the engine", Buckets.token());
        this.timePerOutputToken = timer(
                "setun.time.per.output.token", "A request's mean time for a token after the first", Buckets.token());
        this.queueTime = timer(
                "setun.queue.time", "From a request's submission to the engine to its place in it", Buckets.request());
        this.prefillTime = timer(
                "setun.prefill.time", "From a request's place in the engine to its first token", Buckets.request());
        this.decodeTime = timer("setun.decode.time", "From a request's first token to its end", Buckets.request());
        this.finished = new EnumMap<>(FinishReason.class);
        for (FinishReason reason : FinishReason.values()) {
            finished.put(reason, finished(label(reason)));
        }
        this.failed = finished("error");
        this.rejected = new EnumMap<>(EngineRejectedException.Reason.class);
        for (EngineRejectedException.Reason reason : EngineRejectedException.Reason.values()) {
            rejected.put(reason, rejected(label(reason)));
        }
        this.rateLimited = rejected("rate_limit");
        this.promptTokens = promptTokens("computed");
        this.cachedTokens = promptTokens("cache_ram");
        this.storedTokens = promptTokens("cache_redis");
        this.generatedTokens = counter("setun.tokens.generated", "Tokens generated");
        this.batchSize = summary("setun.batch.size", "Sequences in one step of the engine", Buckets.batch());
        this.prefillStepTokens = stepTokens("prefill");
        this.decodeStepTokens = stepTokens("decode");
        this.prefillStepDuration = stepDuration("prefill");
        this.decodeStepDuration = stepDuration("decode");
        this.mixedStepDuration = stepDuration("mixed");
        this.requestPromptTokens =
                summary("setun.request.prompt.tokens", "Tokens of a request's prompt", Buckets.tokens());
        this.requestOutputTokens =
                summary("setun.request.output.tokens", "Tokens generated for a request", Buckets.tokens());
    }

    /** Shows what an engine does now; {@code status} must be cheap, and outlive the registry's readers. */
    public void observe(Supplier<EngineStatus> status) {
        gauge(
                "setun.requests.running",
                "Requests that have a place in the engine",
                () -> status.get().running());
        gauge(
                "setun.requests.waiting",
                "Requests that wait for a place in the engine",
                () -> status.get().waiting());
        gauge(
                "setun.state.slots.free",
                "Places in the engine that no request has",
                () -> status.get().freeSlots());
    }

    /** Shows what the prefix cache does; {@code status} must be cheap, and outlive the registry's readers. */
    public void observeCache(Supplier<CacheStatus> status) {
        cacheCounter("queries", RAM, null, QUERIES, status, CacheStatus::queries);
        cacheCounter("hits", RAM, null, HITS, status, CacheStatus::hits);
        cacheCounter(
                "evictions",
                RAM,
                null,
                "Entries that the prefix cache gave up for others",
                status,
                CacheStatus::evictions);
        cacheGauge(
                "entries",
                null,
                "Snapshots and pages in the prefix cache",
                () -> status.get().entries());
        cacheGauge(
                "bytes",
                "bytes",
                "What the prefix cache's entries take",
                () -> status.get().bytes());
    }

    /** Shows what Redis does for the prefix cache; {@code status} must be cheap, and outlive the registry's readers. */
    public void observeStore(Supplier<StoreStatus> status) {
        cacheCounter("queries", REDIS, null, QUERIES, status, StoreStatus::queries);
        cacheCounter("hits", REDIS, null, HITS, status, StoreStatus::hits);
        cacheCounter("errors", REDIS, null, "Commands that failed or took too long", status, StoreStatus::errors);
        cacheCounter(
                "invalid", REDIS, null, "Values that were not as they had been saved", status, StoreStatus::invalid);
        cacheCounter("saved", REDIS, null, "States that were saved", status, StoreStatus::saved);
        cacheCounter("dropped", REDIS, null, "States that could not be saved", status, StoreStatus::dropped);
        cacheCounter("written", REDIS, "bytes", "What the saved states took", status, StoreStatus::writtenBytes);
    }

    private <T> void cacheCounter(
            String name,
            String tier,
            @Nullable String unit,
            String description,
            Supplier<T> status,
            ToDoubleFunction<T> count) {
        // The registry holds what it counts of weakly, and the function for good.
        FunctionCounter.builder("setun.cache." + name, this, metrics -> count.applyAsDouble(status.get()))
                .description(description)
                .baseUnit(unit)
                .tags(model.and("tier", tier))
                .register(registry);
    }

    private void cacheGauge(String name, @Nullable String unit, String description, Supplier<Number> value) {
        Gauge.builder("setun.cache." + name, value)
                .description(description)
                .baseUnit(unit)
                .tags(model.and("tier", RAM))
                .register(registry);
    }

    /**
     * Shows what is served.
     *
     * @param facts constant facts by name, such as the architecture; they become tags of a gauge that is always 1
     * @param loadDuration how long loading took
     */
    public void modelLoaded(Map<String, String> facts, Duration loadDuration) {
        Tags tags = model;
        for (Map.Entry<String, String> fact : facts.entrySet()) {
            tags = tags.and(fact.getKey(), fact.getValue());
        }
        Gauge.builder("setun.model.info", () -> 1)
                .description("What is served, as tags")
                .tags(tags)
                .register(registry);
        double seconds = loadDuration.toNanos() / 1e9;
        Gauge.builder("setun.model.load.duration", () -> seconds)
                .description("How long the model took to load")
                .baseUnit("seconds")
                .tags(model)
                .register(registry);
    }

    /** Sees the first text of an answer, {@code sinceArrival} after its request had come. */
    public void firstText(Duration sinceArrival) {
        firstText.record(sinceArrival);
    }

    /** Sees a request that was refused because its caller has used up its rate. */
    public void rateLimited() {
        rateLimited.increment();
    }

    /** Sees the end of an HTTP request. The labels come from small fixed sets. */
    public void requestEnded(String endpoint, boolean stream, String outcome, Duration duration) {
        Timer.builder("setun.request.duration")
                .description("From the arrival of a request to the end of its answer")
                .tags(model.and("endpoint", endpoint, "stream", Boolean.toString(stream), "outcome", outcome))
                .serviceLevelObjectives(Buckets.request())
                .register(registry)
                .record(duration);
    }

    @Override
    public void requestRejected(String id, EngineRejectedException.Reason reason) {
        counterOf(rejected, reason).increment();
    }

    @Override
    public void requestStarted(String id, Duration waited, TokenCounts tokens) {
        queueTime.record(waited);
        cachedTokens.increment(tokens.cached() - tokens.stored());
        storedTokens.increment(tokens.stored());
    }

    @Override
    public void firstToken(String id, Duration sinceSubmission) {
        generatedTokens.increment();
    }

    @Override
    public void nextToken(String id, Duration sincePrevious) {
        generatedTokens.increment();
        interTokenLatency.record(sincePrevious);
    }

    @Override
    public void requestFinished(RequestReport report, FinishReason reason) {
        counterOf(finished, reason).increment();
        record(report);
    }

    @Override
    public void requestFailed(RequestReport report, Throwable cause) {
        failed.increment();
        record(report);
    }

    @Override
    public void stepFinished(StepReport report) {
        batchSize.record(report.sequences());
        promptTokens.increment(report.prefillTokens());
        if (report.prefillTokens() > 0) {
            prefillStepTokens.record(report.prefillTokens());
        }
        if (report.decodeTokens() > 0) {
            decodeStepTokens.record(report.decodeTokens());
        }
        stepDuration(report).record(report.duration());
    }

    private Timer stepDuration(StepReport report) {
        if (report.decodeTokens() == 0) {
            return prefillStepDuration;
        }
        return report.prefillTokens() == 0 ? decodeStepDuration : mixedStepDuration;
    }

    private void record(RequestReport report) {
        requestPromptTokens.record(report.tokens().prompt());
        requestOutputTokens.record(report.tokens().completion());
        if (report.tokens().completion() > 0) {
            prefillTime.record(report.prefill());
            decodeTime.record(report.decode());
        }
        if (report.tokens().completion() > 1) {
            timePerOutputToken.record(report.decode().dividedBy(report.tokens().completion() - 1));
        }
    }

    private Counter promptTokens(String source) {
        return counter(
                "setun.tokens.prompt", "Tokens of prompts, by where their state came from", Tag.of("source", source));
    }

    private Counter finished(String reason) {
        return counter("setun.requests.finished", "Requests that the engine has ended", Tag.of("reason", reason));
    }

    private Counter rejected(String reason) {
        return counter("setun.requests.rejected", "Requests that were not taken", Tag.of("reason", reason));
    }

    private DistributionSummary stepTokens(String phase) {
        return DistributionSummary.builder("setun.step.tokens")
                .description("Tokens that one step of the engine ran")
                .tags(model.and("phase", phase))
                .serviceLevelObjectives(Buckets.batch())
                .register(registry);
    }

    private Timer stepDuration(String phase) {
        return Timer.builder("setun.step.duration")
                .description("The forward pass and the sampling of one step of the engine")
                .tags(model.and("phase", phase))
                .serviceLevelObjectives(Buckets.token())
                .register(registry);
    }

    private Timer timer(String name, String description, Duration[] buckets) {
        return Timer.builder(name)
                .description(description)
                .tags(model)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    private DistributionSummary summary(String name, String description, double[] buckets) {
        return DistributionSummary.builder(name)
                .description(description)
                .tags(model)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    private Counter counter(String name, String description, Tag... tags) {
        return Counter.builder(name)
                .description(description)
                .tags(model.and(tags))
                .register(registry);
    }

    private void gauge(String name, String description, Supplier<Number> value) {
        Gauge.builder(name, value).description(description).tags(model).register(registry);
    }

    private static <E extends Enum<E>> Counter counterOf(Map<E, Counter> counters, E reason) {
        Counter counter = counters.get(reason);
        if (counter == null) {
            throw new IllegalStateException("no counter for " + reason);
        }
        return counter;
    }

    private static String label(Enum<?> reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }
}
