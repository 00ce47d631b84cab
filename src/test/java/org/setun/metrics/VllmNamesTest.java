package org.setun.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.setun.engine.EngineStatus;
import org.setun.engine.FinishReason;
import org.setun.engine.MemoryStatus;
import org.setun.engine.RequestReport;
import org.setun.engine.StepReport;
import org.setun.engine.TokenCounts;

/** What a scrape shows under vLLM's names. */
final class VllmNamesTest {

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final SetunMetrics metrics = new SetunMetrics(registry, "tiny");

    @BeforeEach
    void showAnEngine() {
        metrics.observe(() -> new EngineStatus(3, 2, 5, true));
        metrics.observeMemory(() -> new MemoryStatus(30, 120, 512, 1024));
        VllmNames.show(registry.getPrometheusRegistry());
    }

    @Test
    void aGatewayFindsItsGauges() {
        assertThat(registry.scrape())
                .contains(
                        "# TYPE vllm:num_requests_running gauge\n",
                        "vllm:num_requests_running{model_name=\"tiny\"} 3.0\n",
                        "vllm:num_requests_waiting{model_name=\"tiny\"} 2.0\n",
                        // Keys and values are fuller than the slots.
                        "vllm:kv_cache_usage_perc{model_name=\"tiny\"} 0.5\n",
                        "vllm:gpu_cache_usage_perc{model_name=\"tiny\"} 0.5\n");
    }

    @Test
    void countersAreAddedUpWhereVllmTellsLessApart() {
        metrics.requestStarted("r", Duration.ofMillis(4), new TokenCounts(9, 5, 3, 0));
        metrics.stepFinished(new StepReport(1, 4, 0, Duration.ofMillis(3)));
        metrics.firstToken("r", Duration.ofMillis(10));
        RequestReport report = new RequestReport(
                "r", new TokenCounts(9, 5, 1), Duration.ofMillis(4), Duration.ofMillis(6), Duration.ofMillis(50));
        metrics.requestFinished(report, FinishReason.LENGTH);
        metrics.requestFinished(report, FinishReason.TIMEOUT);
        metrics.requestFinished(report, FinishReason.CANCELLED);

        assertThat(registry.scrape())
                .contains(
                        "# TYPE vllm:prompt_tokens_total counter\n",
                        "vllm:prompt_tokens_total{model_name=\"tiny\"} 9.0\n",
                        "vllm:prefix_cache_queries_total{model_name=\"tiny\"} 9.0\n",
                        "vllm:prefix_cache_hits_total{model_name=\"tiny\"} 5.0\n",
                        "vllm:generation_tokens_total{model_name=\"tiny\"} 1.0\n",
                        "vllm:request_success_total{finished_reason=\"stop\",model_name=\"tiny\"} 0.0\n",
                        "vllm:request_success_total{finished_reason=\"length\",model_name=\"tiny\"} 2.0\n",
                        "vllm:request_success_total{finished_reason=\"abort\",model_name=\"tiny\"} 1.0\n");
    }

    @Test
    void histogramsKeepTheirBuckets() {
        metrics.firstText(Duration.ofMillis(30));
        metrics.nextToken("r", Duration.ofMillis(20));
        metrics.requestEnded("completions", true, "success", Duration.ofSeconds(2));
        metrics.requestEnded("chat_completions", false, "success", Duration.ofSeconds(4));
        metrics.requestEnded("chat_completions", false, "cancelled", Duration.ofSeconds(9));
        metrics.requestEnded("embeddings", false, "success", Duration.ofSeconds(9));
        metrics.requestFinished(
                new RequestReport(
                        "r",
                        new TokenCounts(9, 0, 7),
                        Duration.ofMillis(400),
                        Duration.ofMillis(600),
                        Duration.ofMillis(1200)),
                FinishReason.STOP);

        assertThat(registry.scrape())
                .contains(
                        "# TYPE vllm:time_to_first_token_seconds histogram\n",
                        "vllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.02\"} 0\n",
                        "vllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.04\"} 1\n",
                        "vllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"+Inf\"} 1\n",
                        "vllm:time_to_first_token_seconds_sum{model_name=\"tiny\"} 0.03\n",
                        "vllm:inter_token_latency_seconds_count{model_name=\"tiny\"} 1\n",
                        "vllm:time_per_output_token_seconds_count{model_name=\"tiny\"} 1\n",
                        "vllm:request_time_per_output_token_seconds_sum{model_name=\"tiny\"} 0.2\n",
                        "vllm:e2e_request_latency_seconds_bucket{model_name=\"tiny\",le=\"2.5\"} 1\n",
                        "vllm:e2e_request_latency_seconds_bucket{model_name=\"tiny\",le=\"5.0\"} 2\n",
                        "vllm:e2e_request_latency_seconds_count{model_name=\"tiny\"} 2\n",
                        "vllm:e2e_request_latency_seconds_sum{model_name=\"tiny\"} 6.0\n",
                        "vllm:request_prefill_time_seconds_sum{model_name=\"tiny\"} 0.6\n",
                        "vllm:request_decode_time_seconds_sum{model_name=\"tiny\"} 1.2\n",
                        "vllm:request_prompt_tokens_sum{model_name=\"tiny\"} 9.0\n",
                        "vllm:request_generation_tokens_sum{model_name=\"tiny\"} 7.0\n");
        // Requests that never waited have no time in the queue: the engine reports it when they start.
        assertThat(registry.scrape()).contains("vllm:request_queue_time_seconds_count{model_name=\"tiny\"} 0\n");
    }
}
