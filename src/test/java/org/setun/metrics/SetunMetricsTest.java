package org.setun.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.setun.engine.CacheStatus;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineStatus;
import org.setun.engine.FinishReason;
import org.setun.engine.MemoryStatus;
import org.setun.engine.RequestReport;
import org.setun.engine.StepReport;
import org.setun.engine.StoreStatus;
import org.setun.engine.TokenCounts;

final class SetunMetricsTest {

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final SetunMetrics metrics = new SetunMetrics(registry, "tiny");

    @BeforeEach
    void observeAnEngine() {
        metrics.observe(() -> new EngineStatus(3, 2, 5, true));
        metrics.observeCache(
                () -> new CacheStatus(10, 4, 1000, new CacheStatus.Kind(3, 6, 700), new CacheStatus.Kind(2, 9, 800)),
                new MemoryStatus(30, 80, 512, 4096));
        metrics.observeStore(() -> new StoreStatus(11, 5, 1, 2, 7, 3, 900), true, false);
        metrics.observeMemory(() -> new MemoryStatus(30, 80, 512, 4096));
    }

    @Test
    void everyMetricHasADescriptionAndTheModel() {
        metrics.modelLoaded(new SetunMetrics.ModelInfo("mmfree", "tq2_0", 700, 64), Duration.ofSeconds(2));
        metrics.requestEnded("completions", true, "success", Duration.ofMillis(20));

        assertThat(registry.getMeters()).isNotEmpty().allSatisfy(meter -> {
            Meter.Id id = meter.getId();
            assertThat(id.getName()).startsWith("setun.");
            assertThat(id.getDescription()).isNotBlank();
            assertThat(id.getTag("model")).isEqualTo("tiny");
        });
    }

    @Test
    void prometheusSeesTheDocumentedNames() {
        metrics.modelLoaded(new SetunMetrics.ModelInfo("mmfree", "tq2_0", 700, 64), Duration.ofSeconds(2));
        metrics.requestEnded("completions", true, "success", Duration.ofMillis(20));

        assertThat(registry.scrape())
                .contains(
                        "setun_request_duration_seconds_bucket{endpoint=\"completions\",model=\"tiny\",outcome=\"success\",stream=\"true\",le=\"0.01\"} 0",
                        "setun_request_duration_seconds_count{endpoint=\"chat_completions\",model=\"tiny\",outcome=\"server_error\",stream=\"true\"} 0",
                        "setun_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"0.002\"}",
                        "setun_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"2560.0\"}",
                        "setun_inter_token_latency_seconds_bucket{model=\"tiny\",le=\"5.0E-4\"}",
                        "setun_time_per_output_token_seconds_count{model=\"tiny\"}",
                        "setun_tokenize_time_seconds_count{model=\"tiny\"} 0",
                        "setun_streams_open{model=\"tiny\"} 0.0",
                        "setun_tokens_discarded_total{model=\"tiny\",reason=\"stopped\"} 0.0",
                        "setun_tokens_discarded_total{model=\"tiny\",reason=\"cancelled\"} 0.0",
                        "setun_tokens_discarded_total{model=\"tiny\",reason=\"failed\"} 0.0",
                        "setun_tokens_discarded_total{model=\"tiny\",reason=\"recomputed\"} 0.0",
                        "setun_state_used_bytes{kind=\"state\",model=\"tiny\"} 30.0",
                        "setun_state_limit_bytes{kind=\"state\",model=\"tiny\"} 80.0",
                        "setun_state_used_bytes{kind=\"kv\",model=\"tiny\"} 512.0",
                        "setun_state_limit_bytes{kind=\"kv\",model=\"tiny\"} 4096.0",
                        "setun_state_save_seconds_count{model=\"tiny\",tier=\"redis\"} 0",
                        "setun_state_restore_seconds_count{model=\"tiny\",tier=\"redis\"} 0",
                        "setun_queue_time_seconds_count{model=\"tiny\"}",
                        "setun_prefill_time_seconds_count{model=\"tiny\"}",
                        "setun_decode_time_seconds_count{model=\"tiny\"}",
                        "setun_requests_finished_total{model=\"tiny\",reason=\"stop\"} 0.0",
                        "setun_requests_finished_total{model=\"tiny\",reason=\"length\"} 0.0",
                        "setun_requests_finished_total{model=\"tiny\",reason=\"cancelled\"} 0.0",
                        "setun_requests_finished_total{model=\"tiny\",reason=\"error\"} 0.0",
                        "setun_requests_rejected_total{model=\"tiny\",reason=\"queue_full\"} 0.0",
                        "setun_requests_rejected_total{model=\"tiny\",reason=\"draining\"} 0.0",
                        "setun_requests_rejected_total{model=\"tiny\",reason=\"rate_limit\"} 0.0",
                        "setun_requests_running{model=\"tiny\"} 3.0",
                        "setun_requests_waiting{model=\"tiny\"} 2.0",
                        "setun_state_slots_free{model=\"tiny\"} 5.0",
                        "setun_tokens_prompt_total{model=\"tiny\",source=\"computed\"} 0.0",
                        "setun_tokens_prompt_total{model=\"tiny\",source=\"cache_ram\"} 0.0",
                        "setun_cache_queries_total{kind=\"state\",model=\"tiny\",tier=\"ram\"} 10.0",
                        "setun_cache_hits_total{kind=\"state\",model=\"tiny\",tier=\"ram\"} 4.0",
                        "setun_cache_evictions_total{kind=\"state\",model=\"tiny\",tier=\"ram\"} 3.0",
                        "setun_cache_entries{kind=\"state\",model=\"tiny\",tier=\"ram\"} 6.0",
                        "setun_cache_evictions_total{kind=\"kv\",model=\"tiny\",tier=\"ram\"} 2.0",
                        "setun_cache_entries{kind=\"kv\",model=\"tiny\",tier=\"ram\"} 9.0",
                        "setun_cache_bytes{kind=\"kv\",model=\"tiny\",tier=\"ram\"} 800.0",
                        "setun_cache_bytes{kind=\"state\",model=\"tiny\",tier=\"ram\"} 700.0",
                        "setun_tokens_prompt_total{model=\"tiny\",source=\"cache_redis\"} 0.0",
                        "setun_cache_queries_total{kind=\"state\",model=\"tiny\",tier=\"redis\"} 11.0",
                        "setun_cache_hits_total{kind=\"state\",model=\"tiny\",tier=\"redis\"} 5.0",
                        "setun_cache_errors_total{model=\"tiny\",tier=\"redis\"} 1.0",
                        "setun_cache_invalid_total{model=\"tiny\",tier=\"redis\"} 2.0",
                        "setun_cache_saved_total{model=\"tiny\",tier=\"redis\"} 7.0",
                        "setun_cache_dropped_total{model=\"tiny\",tier=\"redis\"} 3.0",
                        "setun_cache_written_bytes_total{model=\"tiny\",tier=\"redis\"} 900.0",
                        "setun_requests_finished_total{model=\"tiny\",reason=\"timeout\"} 0.0",
                        "setun_requests_rejected_total{model=\"tiny\",reason=\"tokens_full\"} 0.0",
                        "setun_tokens_generated_total{model=\"tiny\"} 0.0",
                        "setun_batch_size_bucket{model=\"tiny\",le=\"1.0\"} 0",
                        "setun_step_tokens_count{model=\"tiny\",phase=\"prefill\"} 0",
                        "setun_step_duration_seconds_count{model=\"tiny\",phase=\"mixed\"} 0",
                        "setun_request_prompt_tokens_count{model=\"tiny\"} 0",
                        "setun_request_output_tokens_count{model=\"tiny\"} 0",
                        "setun_model_info{arch=\"mmfree\",experts=\"64\",model=\"tiny\",parameters=\"700\",quantization=\"tq2_0\"} 1",
                        "setun_model_load_duration_seconds{model=\"tiny\"} 2.0");
    }

    @Test
    void aRequestIsCountedFromItsStartToItsEnd() {
        metrics.requestStarted("r", Duration.ofMillis(4), new TokenCounts(9, 5, 3, 0));
        metrics.stepFinished(new StepReport(1, 7, 0, Duration.ofMillis(3)));
        metrics.firstToken("r", Duration.ofMillis(10));
        metrics.stepFinished(new StepReport(1, 0, 1, Duration.ofMillis(1)));
        metrics.nextToken("r", Duration.ofMillis(2));
        metrics.stepFinished(new StepReport(1, 0, 1, Duration.ofMillis(1)));
        metrics.nextToken("r", Duration.ofMillis(4));
        metrics.requestFinished(
                new RequestReport(
                        "r",
                        new TokenCounts(7, 0, 3),
                        Duration.ofMillis(4),
                        Duration.ofMillis(6),
                        Duration.ofMillis(6)),
                FinishReason.LENGTH);

        assertThat(counter("setun.tokens.prompt", "source", "computed")).isEqualTo(7);
        assertThat(counter("setun.tokens.prompt", "source", "cache_ram")).isEqualTo(2);
        assertThat(counter("setun.tokens.prompt", "source", "cache_redis")).isEqualTo(3);
        assertThat(counter("setun.tokens.generated")).isEqualTo(3);
        assertThat(counter("setun.requests.finished", "reason", "length")).isEqualTo(1);
        assertThat(counter("setun.requests.finished", "reason", "stop")).isZero();
        assertThat(seconds("setun.queue.time")).isCloseTo(0.004, within(1e-9));
        assertThat(seconds("setun.prefill.time")).isCloseTo(0.006, within(1e-9));
        assertThat(seconds("setun.decode.time")).isCloseTo(0.006, within(1e-9));
        assertThat(seconds("setun.inter.token.latency")).isCloseTo(0.006, within(1e-9));
        assertThat(seconds("setun.time.per.output.token")).isCloseTo(0.003, within(1e-9));
        assertThat(registry.get("setun.step.duration")
                        .tag("phase", "decode")
                        .timer()
                        .count())
                .isEqualTo(2);
        assertThat(registry.get("setun.step.duration")
                        .tag("phase", "prefill")
                        .timer()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get("setun.batch.size").summary().count()).isEqualTo(3);
    }

    @Test
    void aRequestThatEndsInTheQueueHasNoTimesInTheEngine() {
        metrics.requestFinished(
                new RequestReport("r", new TokenCounts(7, 0, 0), Duration.ofMillis(4), Duration.ZERO, Duration.ZERO),
                FinishReason.CANCELLED);

        assertThat(counter("setun.requests.finished", "reason", "cancelled")).isEqualTo(1);
        assertThat(registry.get("setun.prefill.time").timer().count()).isZero();
        assertThat(registry.get("setun.time.per.output.token").timer().count()).isZero();
    }

    @Test
    void rejectionsAndFaultsAreCounted() {
        metrics.requestRejected("r", EngineRejectedException.Reason.QUEUE_FULL);
        metrics.rateLimited();
        metrics.unread();
        metrics.requestFailed(
                new RequestReport("r", new TokenCounts(1, 0, 1), Duration.ZERO, Duration.ZERO, Duration.ZERO),
                new IllegalStateException());

        assertThat(counter("setun.requests.rejected", "reason", "queue_full")).isEqualTo(2);
        assertThat(counter("setun.requests.rejected", "reason", "rate_limit")).isEqualTo(1);
        assertThat(counter("setun.requests.finished", "reason", "error")).isEqualTo(1);
    }

    @Test
    void tokensThatWereComputedInVainAreCounted() {
        metrics.tokenDiscarded();
        metrics.requestResumed("r", 5);
        RequestReport report =
                new RequestReport("r", new TokenCounts(9, 0, 4), Duration.ZERO, Duration.ZERO, Duration.ZERO);
        metrics.requestFinished(report, FinishReason.CANCELLED);
        metrics.requestFinished(report, FinishReason.STOP);
        metrics.requestFailed(report, new IllegalStateException());

        assertThat(counter("setun.tokens.discarded", "reason", "stopped")).isEqualTo(1);
        assertThat(counter("setun.tokens.discarded", "reason", "recomputed")).isEqualTo(5);
        assertThat(counter("setun.tokens.discarded", "reason", "cancelled")).isEqualTo(4);
        assertThat(counter("setun.tokens.discarded", "reason", "failed")).isEqualTo(4);
    }

    @Test
    void streamsAreCountedWhileTheyAreOpen() {
        metrics.streamOpened();
        metrics.streamOpened();
        metrics.streamClosed();

        assertThat(registry.get("setun.streams.open").gauge().value()).isEqualTo(1);
    }

    private double counter(String name, String... tags) {
        return registry.get(name).tags(tags).counter().count();
    }

    private double seconds(String timer) {
        return registry.get(timer).timer().totalTime(TimeUnit.SECONDS);
    }
}
