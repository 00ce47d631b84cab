package org.setun.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.setun.engine.Activity;
import org.setun.engine.CacheStatus;
import org.setun.engine.EngineActivity;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineStatus;
import org.setun.engine.FinishReason;
import org.setun.engine.MemoryStatus;
import org.setun.engine.RequestReport;
import org.setun.engine.SiteCounts;
import org.setun.engine.StepReport;
import org.setun.engine.StoreStatus;
import org.setun.engine.TokenCounts;

/**
 * Records what happens in all of Setun's meters, for one model, whose name is their tag {@code model}; {@link SetunMeter} says
 * which there are. Every meter exists from the start, so that a rate over its first value is right and a dashboard has no
 * holes. Thread-safe.
 */
public final class SetunMetrics implements EngineObserver {

    private final Meters meters;
    private final Timer firstText;
    private final Timer interTokenLatency;
    private final Timer timePerOutputToken;
    private final Timer tokenizeTime;
    private final Timer queueTime;
    private final Timer prefillTime;
    private final Timer decodeTime;
    private final Map<FinishReason, Counter> finished;
    private final Counter failed;
    private final Map<EngineRejectedException.Reason, Counter> rejected;
    private final Counter rateLimited;
    private final AtomicInteger openStreams = new AtomicInteger();
    private final Counter promptTokens;
    private final Counter cachedTokens;
    private final Counter storedTokens;
    private final Counter generatedTokens;
    private final Counter stoppedTokens;
    private final Counter cancelledTokens;
    private final Counter failedTokens;
    private final Counter recomputedTokens;
    private final DistributionSummary batchSize;
    private final DistributionSummary prefillStepTokens;
    private final DistributionSummary decodeStepTokens;
    private final Timer prefillStepDuration;
    private final Timer decodeStepDuration;
    private final Timer mixedStepDuration;
    private final DistributionSummary requestPromptTokens;
    private final DistributionSummary requestOutputTokens;
    private final DistributionSummary zeroFraction;

    /** Creates the meters in {@code registry} for the model {@code modelName}. */
    public SetunMetrics(MeterRegistry registry, String modelName) {
        this.meters = new Meters(registry, modelName);
        this.firstText = meters.timer(SetunMeter.TIME_TO_FIRST_TOKEN);
        this.interTokenLatency = meters.timer(SetunMeter.INTER_TOKEN_LATENCY);
        this.timePerOutputToken = meters.timer(SetunMeter.TIME_PER_OUTPUT_TOKEN);
        this.tokenizeTime = meters.timer(SetunMeter.TOKENIZE_TIME);
        this.queueTime = meters.timer(SetunMeter.QUEUE_TIME);
        this.prefillTime = meters.timer(SetunMeter.PREFILL_TIME);
        this.decodeTime = meters.timer(SetunMeter.DECODE_TIME);
        this.finished = counters(SetunMeter.REQUESTS_FINISHED, FinishReason.class);
        this.failed = meters.counter(SetunMeter.REQUESTS_FINISHED, "error");
        this.rejected = counters(SetunMeter.REQUESTS_REJECTED, EngineRejectedException.Reason.class);
        this.rateLimited = meters.counter(SetunMeter.REQUESTS_REJECTED, "rate_limit");
        this.promptTokens = meters.counter(SetunMeter.TOKENS_PROMPT, "computed");
        this.cachedTokens = meters.counter(SetunMeter.TOKENS_PROMPT, "cache_ram");
        this.storedTokens = meters.counter(SetunMeter.TOKENS_PROMPT, "cache_redis");
        this.generatedTokens = meters.counter(SetunMeter.TOKENS_GENERATED);
        this.stoppedTokens = meters.counter(SetunMeter.TOKENS_DISCARDED, "stopped");
        this.cancelledTokens = meters.counter(SetunMeter.TOKENS_DISCARDED, "cancelled");
        this.failedTokens = meters.counter(SetunMeter.TOKENS_DISCARDED, "failed");
        this.recomputedTokens = meters.counter(SetunMeter.TOKENS_DISCARDED, "recomputed");
        this.batchSize = meters.summary(SetunMeter.BATCH_SIZE);
        this.prefillStepTokens = meters.summary(SetunMeter.STEP_TOKENS, "prefill");
        this.decodeStepTokens = meters.summary(SetunMeter.STEP_TOKENS, "decode");
        this.prefillStepDuration = meters.timer(SetunMeter.STEP_DURATION, "prefill");
        this.decodeStepDuration = meters.timer(SetunMeter.STEP_DURATION, "decode");
        this.mixedStepDuration = meters.timer(SetunMeter.STEP_DURATION, "mixed");
        this.requestPromptTokens = meters.summary(SetunMeter.REQUEST_PROMPT_TOKENS);
        this.requestOutputTokens = meters.summary(SetunMeter.REQUEST_OUTPUT_TOKENS);
        this.zeroFraction = meters.summary(SetunMeter.ACTIVATION_ZERO_FRACTION);
        meters.gauge(SetunMeter.STREAMS_OPEN, openStreams::get);
        // The other requests' timers may begin with the first of them; of errors an alert is to see that one, too.
        for (String endpoint : List.of("completions", "chat_completions")) {
            for (String stream : List.of("false", "true")) {
                meters.timer(SetunMeter.REQUEST_DURATION, endpoint, stream, "server_error");
            }
        }
    }

    /** Shows what an engine does now; {@code status} must be cheap, and outlive the registry's readers. */
    public void observe(Supplier<EngineStatus> status) {
        meters.gauge(SetunMeter.REQUESTS_RUNNING, () -> status.get().running());
        meters.gauge(SetunMeter.REQUESTS_WAITING, () -> status.get().waiting());
        meters.gauge(SetunMeter.STATE_SLOTS_FREE, () -> status.get().freeSlots());
    }

    /** Shows how much memory sequences take; {@code status} must be cheap, and outlive the registry's readers. */
    public void observeMemory(Supplier<MemoryStatus> status) {
        MemoryMeters.registerMemory(meters, status);
    }

    /**
     * Shows what the prefix cache does.
     *
     * @param status cheap, and outlives the registry's readers
     * @param memory the kinds of memory that the model's sequences have, of which the cache has the same
     */
    public void observeCache(Supplier<CacheStatus> status, MemoryStatus memory) {
        MemoryMeters.registerCache(meters, status, memory);
    }

    /**
     * Shows what Redis does for the prefix cache.
     *
     * @param status cheap, and outlives the registry's readers
     * @param states whether the model has recurrent states
     * @param pages whether it has keys and values
     */
    public void observeStore(Supplier<StoreStatus> status, boolean states, boolean pages) {
        MemoryMeters.registerStore(meters, status, states, pages);
    }

    /**
     * What is served.
     *
     * @param family the model's architecture, such as {@code hgrn_bit}
     * @param quantization how most of its weights are stored, such as {@code tq2_0}
     * @param parameters how many it has
     * @param experts how many of its neurons are looked up one by one, in the layer with the most
     */
    public record ModelInfo(String family, String quantization, long parameters, int experts) {}

    /** Shows what is served, and that loading it took {@code loadDuration}. */
    public void modelLoaded(ModelInfo info, Duration loadDuration) {
        meters.gauge(
                SetunMeter.MODEL_INFO,
                () -> 1,
                info.family(),
                info.quantization(),
                Long.toString(info.parameters()),
                Integer.toString(info.experts()));
        double seconds = loadDuration.toNanos() / 1e9;
        meters.gauge(SetunMeter.MODEL_LOAD_DURATION, () -> seconds);
    }

    /** Shows how many weights of a ternary matrix are negative, zero and positive; those outside of the layers have their own name for a layer's. */
    public void weightsLoaded(String layer, String matrix, long negative, long zero, long positive) {
        meters.gauge(SetunMeter.WEIGHTS, () -> negative, layer, matrix, "neg");
        meters.gauge(SetunMeter.WEIGHTS, () -> zero, layer, matrix, "zero");
        meters.gauge(SetunMeter.WEIGHTS, () -> positive, layer, matrix, "pos");
    }

    /** Shows how many bytes of matrices have the form {@code format}. */
    public void weightBytes(String format, long bytes) {
        meters.gauge(SetunMeter.WEIGHTS_BYTES, () -> bytes, format);
    }

    /** Shows what an engine's model does; {@code activity} must outlive the registry's readers. */
    public void observeActivity(EngineActivity activity) {
        ActivityMeters.register(meters, activity);
    }

    /** Shows how fast memory can be read, in bytes a second; {@code measured} must be cheap, and not a number until that is known. */
    public void observeBandwidth(DoubleSupplier measured) {
        meters.gauge(SetunMeter.MEMORY_BANDWIDTH, measured::getAsDouble, "measured");
    }

    /** Shows what energy is used. */
    public void observeEnergy(EnergyMeter energy) {
        meters.counter(SetunMeter.ENERGY, energy::joules, energy.source());
    }

    /** Sees the first text of an answer, {@code sinceArrival} after its request had come. */
    public void firstText(Duration sinceArrival) {
        firstText.record(sinceArrival);
    }

    /** Sees that a prompt became tokens. */
    public void tokenized(Duration duration) {
        tokenizeTime.record(duration);
    }

    /** Sees a token that was generated after a stop string. */
    public void tokenDiscarded() {
        stoppedTokens.increment();
    }

    /** Sees that a state was saved in Redis. */
    public void stateSaved(Duration duration) {
        meters.timer(SetunMeter.STATE_SAVE, MemoryMeters.REDIS).record(duration);
    }

    /** Sees that a state came from Redis. */
    public void stateRestored(Duration duration) {
        meters.timer(SetunMeter.STATE_RESTORE, MemoryMeters.REDIS).record(duration);
    }

    /** Sees that an answer begins to be streamed. */
    public void streamOpened() {
        openStreams.incrementAndGet();
    }

    /** Sees that a stream has ended. */
    public void streamClosed() {
        openStreams.decrementAndGet();
    }

    /** Sees a request that was refused because the queue of those to be read is full. */
    public void unread() {
        counterOf(rejected, EngineRejectedException.Reason.QUEUE_FULL).increment();
    }

    /** Sees a request that was refused because its caller has used up its rate. */
    public void rateLimited() {
        rateLimited.increment();
    }

    /** Sees the end of an HTTP request. The labels come from small fixed sets. */
    public void requestEnded(String endpoint, boolean stream, String outcome, Duration duration) {
        meters.timer(SetunMeter.REQUEST_DURATION, endpoint, Boolean.toString(stream), outcome)
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
    public void requestResumed(String id, int lostTokens) {
        recomputedTokens.increment(lostTokens);
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
    public void requestComputed(Activity activity) {
        for (SiteCounts site : activity.sites()) {
            if (site.elements() > 0) {
                zeroFraction.record((double) site.zeros() / site.elements());
            }
        }
    }

    @Override
    public void requestFinished(RequestReport report, FinishReason reason) {
        counterOf(finished, reason).increment();
        if (reason == FinishReason.CANCELLED) {
            cancelledTokens.increment(report.tokens().completion());
        }
        record(report);
    }

    @Override
    public void requestFailed(RequestReport report, Throwable cause) {
        failed.increment();
        failedTokens.increment(report.tokens().completion());
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

    private <E extends Enum<E>> Map<E, Counter> counters(SetunMeter meter, Class<E> reasons) {
        Map<E, Counter> counters = new EnumMap<>(reasons);
        for (E reason : reasons.getEnumConstants()) {
            counters.put(reason, meters.counter(meter, reason.name().toLowerCase(Locale.ROOT)));
        }
        return counters;
    }

    private static <E extends Enum<E>> Counter counterOf(Map<E, Counter> counters, E reason) {
        Counter counter = counters.get(reason);
        if (counter == null) {
            throw new IllegalStateException("no counter for " + reason);
        }
        return counter;
    }
}
