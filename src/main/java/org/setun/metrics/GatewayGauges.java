package org.setun.metrics;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.setun.engine.EngineStatus;
import org.setun.engine.MemoryStatus;

/**
 * The three gauges by which an inference gateway chooses among servers, under any names that it may look for: the model server protocol
 * of the Gateway API Inference Extension. Each has the label {@code model_name}. Thread-safe.
 */
public final class GatewayGauges implements MultiCollector {

    /**
     * What the gauges are called in Prometheus; empty for those that are not shown.
     *
     * @param queued requests that wait
     * @param running requests that run
     * @param cacheUse how full the memory of sequences is, from 0 to 1: of the two kinds of it, the one that is fuller
     */
    public record Names(Optional<String> queued, Optional<String> running, Optional<String> cacheUse) {}

    private final Names names;
    private final String model;
    private final Supplier<EngineStatus> status;
    private final Supplier<MemoryStatus> memory;

    private GatewayGauges(Names names, String model, Supplier<EngineStatus> status, Supplier<MemoryStatus> memory) {
        this.names = names;
        this.model = model;
        this.status = status;
        this.memory = memory;
    }

    /**
     * Has {@code registry} show the gauges.
     *
     * @param model what clients call the model
     * @param status must be cheap, as must be {@code memory}; both outlive the registry's readers
     * @throws IllegalArgumentException if a name is none of Prometheus, or two gauges have one
     */
    public static void show(
            PrometheusRegistry registry,
            Names names,
            String model,
            Supplier<EngineStatus> status,
            Supplier<MemoryStatus> memory) {
        registry.register(new GatewayGauges(names, model, status, memory));
    }

    @Override
    public MetricSnapshots collect() {
        EngineStatus engine = status.get();
        List<GaugeSnapshot> gauges = new ArrayList<>();
        names.queued().ifPresent(name -> gauges.add(gauge(name, "Requests that wait", engine.waiting())));
        names.running().ifPresent(name -> gauges.add(gauge(name, "Requests that run", engine.running())));
        names.cacheUse().ifPresent(name -> gauges.add(gauge(name, VllmNames.CACHE_HELP, use(memory.get()))));
        return new MetricSnapshots(List.copyOf(gauges));
    }

    private static double use(MemoryStatus memory) {
        double states = memory.maxStateBytes() == 0 ? 0 : (double) memory.stateBytes() / memory.maxStateBytes();
        double pages = memory.maxPageBytes() == 0 ? 0 : (double) memory.pageBytes() / memory.maxPageBytes();
        return Math.max(states, pages);
    }

    private GaugeSnapshot gauge(String name, String help, double value) {
        return GaugeSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(GaugeDataPointSnapshot.builder()
                        .labels(Labels.of(VllmNames.MODEL_NAME, model))
                        .value(value)
                        .build())
                .build();
    }
}
