package org.setun.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelLoader;
import org.setun.engine.Activity;
import org.setun.engine.Engine;
import org.setun.engine.EngineEvent;
import org.setun.engine.EngineSettings;
import org.setun.engine.ExpertUsage;
import org.setun.engine.SiteCounts;
import org.setun.engine.TokenRequest;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;

/** The meters say what the engine's counters say, of a model with everything in it. */
@Timeout(60)
final class ActivityMetersTest {

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final SetunMetrics metrics = new SetunMetrics(registry, "tiny");
    private final Model model = load();
    private final Engine engine = new Engine(model, EngineSettings.DEFAULTS, metrics);

    @BeforeEach
    void observe() {
        metrics.observeActivity(engine.activity());
        metrics.observeBandwidth(() -> 2e10);
        metrics.observeEnergy(EnergyMeter.open(5));
    }

    @AfterEach
    void close() {
        engine.close();
        model.close();
    }

    @Test
    void everyMeterIsThereFromTheStart() {
        String scraped = registry.scrape();

        assertThat(scraped)
                .contains(
                        "setun_activation_elements_total{layer=\"0\",model=\"tiny\",site=\"mixer_in\"} 0.0",
                        "setun_activation_zeros_total{layer=\"1\",model=\"tiny\",site=\"channel_down\"} 0.0",
                        "setun_activation_zeros_total{layer=\"0\",model=\"tiny\",site=\"peer_query\"} 0.0",
                        "setun_activation_zeros_total{layer=\"2\",model=\"tiny\",site=\"peer_experts\"} 0.0",
                        "setun_activation_elements_total{layer=\"head\",model=\"tiny\",site=\"head\"} 0.0",
                        "setun_activation_zero_fraction_bucket{model=\"tiny\",le=\"0.99\"} 0",
                        "setun_weight_bytes_dense_total{component=\"mixer\",model=\"tiny\"} 0.0",
                        "setun_weight_bytes_read_total{component=\"embedding\",model=\"tiny\"} 0.0",
                        "setun_ops_dense_total{component=\"head\",kind=\"mul\",model=\"tiny\"} 0.0",
                        "setun_ops_executed_total{component=\"peer\",kind=\"add\",model=\"tiny\"} 0.0",
                        "setun_peer_lookups_total{layer=\"2\",model=\"tiny\"} 0.0",
                        "setun_peer_experts_activated_total{layer=\"2\",model=\"tiny\"} 0.0",
                        "setun_peer_experts_distinct{layer=\"0\",model=\"tiny\",window=\"1m\"} 0.0",
                        "setun_peer_experts_distinct{layer=\"0\",model=\"tiny\",window=\"10m\"} 0.0",
                        "setun_peer_usage_entropy{layer=\"0\",model=\"tiny\"} NaN",
                        "setun_peer_usage_gini{layer=\"0\",model=\"tiny\"} NaN",
                        "setun_peer_top1pct_share{layer=\"0\",model=\"tiny\"} NaN",
                        "setun_peer_hit_rank_total{layer=\"0\",model=\"tiny\",rank=\"1\"} 0.0",
                        "setun_peer_hit_rank_total{layer=\"0\",model=\"tiny\",rank=\"2\"} 0.0",
                        "setun_peer_hit_rank_total{layer=\"0\",model=\"tiny\",rank=\"3-4\"} 0.0",
                        "setun_peer_hit_rank_total{layer=\"0\",model=\"tiny\",rank=\"9-16\"} 0.0",
                        "setun_memory_bandwidth_bytes_per_second{kind=\"measured\",model=\"tiny\"} 2.0E10",
                        "setun_memory_bandwidth_bytes_per_second{kind=\"reached\",model=\"tiny\"} NaN",
                        "setun_energy_joules_total{model=\"tiny\",source=\"")
                .doesNotContain("site=\"embedding\"", "site=\"attention\"", "rank=\"17");
    }

    @Test
    void metersSayWhatTheCountersSay() throws Exception {
        run();
        registry.scrape(); // numbers are the same however often they are read

        Activity total = engine.activity().total();
        double fractions = 0;
        long observed = 0;
        for (SiteCounts site : total.sites()) {
            if (site.elements() > 0) {
                String layer = site.layer().isPresent() ? "" + site.layer().getAsInt() : "head";
                assertThat(count("setun.activation.elements", "layer", layer, "site", site.site()))
                        .isEqualTo(site.elements());
                assertThat(count("setun.activation.zeros", "layer", layer, "site", site.site()))
                        .isEqualTo(site.zeros());
                fractions += (double) site.zeros() / site.elements();
                observed++;
            }
        }
        assertThat(registry.get("setun.activation.zero.fraction").summary().count())
                .isEqualTo(observed)
                .isPositive();
        assertThat(registry.get("setun.activation.zero.fraction").summary().totalAmount())
                .isCloseTo(fractions, within(1e-9));
        for (String component : List.of("mixer", "channel", "peer", "head", "embedding")) {
            assertThat(count("setun.weight.bytes.dense", "component", component))
                    .isPositive()
                    .isEqualTo(sum(total, component, SiteCounts::denseBytes));
            assertThat(count("setun.weight.bytes.read", "component", component))
                    .isPositive()
                    .isEqualTo(sum(total, component, SiteCounts::readBytes));
            assertThat(count("setun.ops.dense", "component", component, "kind", "mul"))
                    .isEqualTo(sum(total, component, SiteCounts::denseOperations));
            assertThat(count("setun.ops.executed", "component", component, "kind", "add"))
                    .isEqualTo(sum(total, component, SiteCounts::additions));
            assertThat(count("setun.ops.executed", "component", component, "kind", "mul"))
                    .isEqualTo(sum(total, component, SiteCounts::multiplications));
        }
        assertThat(registry.get("setun.memory.bandwidth")
                        .tag("kind", "reached")
                        .gauge()
                        .value())
                .isPositive();
    }

    @Test
    void expertsAreSeenByLayer() throws Exception {
        run();

        for (ExpertUsage usage : engine.activity().experts()) {
            String layer = Integer.toString(usage.layer());
            assertThat(count("setun.peer.lookups", "layer", layer)).isEqualTo(usage.lookups());
            assertThat(count("setun.peer.experts.activated", "layer", layer)).isEqualTo(usage.activated());
            assertThat(gauge("setun.peer.experts.distinct", "layer", layer, "window", "10m"))
                    .isEqualTo(usage.spread().used());
            assertThat(gauge("setun.peer.usage.entropy", "layer", layer)).isBetween(0.01, 1.0);
            assertThat(gauge("setun.peer.usage.gini", "layer", layer)).isBetween(0.01, 1.0);
            assertThat(gauge("setun.peer.top1pct.share", "layer", layer)).isBetween(0.01, 1.0);
            double hits = registry.find("setun.peer.hit.rank").tag("layer", layer).functionCounters().stream()
                    .mapToDouble(FunctionCounter::count)
                    .sum();
            assertThat(hits).isPositive().isLessThanOrEqualTo(usage.lookups() / (double) usage.topK());
        }
    }

    @Test
    void weightsAreShownByTheirValues() {
        metrics.weightsLoaded("3", "mixer.o_proj", 10, 20, 30);
        metrics.weightBytes("ternary_cells", 15);

        assertThat(registry.scrape())
                .contains(
                        "setun_weights{layer=\"3\",matrix=\"mixer.o_proj\",model=\"tiny\",value=\"neg\"} 10.0",
                        "setun_weights{layer=\"3\",matrix=\"mixer.o_proj\",model=\"tiny\",value=\"zero\"} 20.0",
                        "setun_weights{layer=\"3\",matrix=\"mixer.o_proj\",model=\"tiny\",value=\"pos\"} 30.0",
                        "setun_weights_bytes{format=\"ternary_cells\",model=\"tiny\"} 15.0");
        assertThat(registry.getMeters())
                .extracting(Meter::getId)
                .allSatisfy(id -> assertThat(id.getTag("model")).isEqualTo("tiny"));
    }

    private static long sum(Activity activity, String component, ToLongFunction<SiteCounts> count) {
        return activity.sites().stream()
                .filter(site -> site.component().equals(component))
                .mapToLong(count)
                .sum();
    }

    private long count(String name, String... tags) {
        return (long) registry.get(name).tags(tags).functionCounter().count();
    }

    private double gauge(String name, String... tags) {
        return registry.get(name).tags(tags).gauge().value();
    }

    private void run() throws Exception {
        CompletableFuture<Void> end = new CompletableFuture<>();
        int[] prompt = new Random(7).ints(40, 0, model.dimensions().vocabSize()).toArray();
        engine.submit(new TokenRequest("r", prompt, 5, SamplingParameters.GREEDY, Set.of()), event -> {
            if (event instanceof EngineEvent.Finished) {
                end.complete(null);
            }
        });
        end.get(50, TimeUnit.SECONDS);
    }

    private static Model load() {
        try {
            return ModelLoader.load(
                            Path.of("src/test/resources/golden/composed-tiny/peer-block-topk"),
                            KernelSelection.select("auto", 2),
                            LoadOptions.of(KeyValueFormat.F32),
                            LoadProgress.NONE)
                    .model();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
