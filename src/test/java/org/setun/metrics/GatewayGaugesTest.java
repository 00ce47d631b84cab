package org.setun.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.setun.engine.EngineStatus;
import org.setun.engine.MemoryStatus;

final class GatewayGaugesTest {

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @Test
    void gaugesHaveTheNamesThatAreAskedFor() {
        show(new GatewayGauges.Names(Optional.of("my:queue"), Optional.of("my_running"), Optional.of("my:cache")));

        assertThat(registry.scrape())
                .contains(
                        "# TYPE my:queue gauge\n",
                        "my:queue{model_name=\"tiny\"} 2.0\n",
                        "my_running{model_name=\"tiny\"} 3.0\n",
                        "my:cache{model_name=\"tiny\"} 0.5\n");
    }

    @Test
    void gaugesWithoutANameAreNotShown() {
        show(new GatewayGauges.Names(Optional.empty(), Optional.of("my_running"), Optional.empty()));

        assertThat(registry.scrape()).contains("my_running").doesNotContain("queue", "cache");
    }

    private void show(GatewayGauges.Names names) {
        GatewayGauges.show(
                registry.getPrometheusRegistry(),
                names,
                "tiny",
                () -> new EngineStatus(3, 2, 5, true),
                () -> new MemoryStatus(30, 120, 512, 1024));
    }
}
