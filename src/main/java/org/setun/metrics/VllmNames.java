package org.setun.metrics;

import io.prometheus.metrics.model.registry.MetricType;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricFamilyDescriptor;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Shows Setun's metrics a second time under the names that vLLM gives what means the same, with its label {@code model_name}, so that
 * dashboards made for it and Kubernetes' inference gateways find what they look for. Nothing is recorded twice: a scrape reads
 * Setun's own meters and renames them, adding up what vLLM does not tell apart. Thread-safe.
 *
 * <p>The names and their meaning are those of vLLM's metrics, v1/metrics/loggers.py in its sources; the gauges of queued and running
 * requests and of the cache's use are those of the model server protocol of the Gateway API Inference Extension.
 */
public final class VllmNames implements MultiCollector {

    private static final String PREFIX = "setun_";
    private static final String USED = "setun_state_used_bytes";
    private static final String LIMIT = "setun_state_limit_bytes";
    static final String MODEL_NAME = "model_name";
    static final String CACHE_HELP = "How full the memory of sequences is, from 0 to 1";

    /**
     * One of vLLM's metrics.
     *
     * @param type what kind of metric it is, as Setun's
     * @param name vLLM's, without {@code _total}
     * @param help what it means
     * @param source Setun's, without {@code _total}
     * @param label gives vLLM's further label of a data point of Setun's, {@link Labels#EMPTY} for none; null leaves the point out
     */
    private record Alias(
            MetricType type, String name, String help, String source, Function<Labels, @Nullable Labels> label) {}

    private static final List<Alias> ALIASES = List.of(
            gauge("num_requests_running", "Requests that run", "requests_running"),
            gauge("num_requests_waiting", "Requests that wait", "requests_waiting"),
            counter("prompt_tokens", "Tokens of prompts", "tokens_prompt", VllmNames::all),
            counter("generation_tokens", "Tokens generated", "tokens_generated", VllmNames::all),
            counter(
                    "prefix_cache_queries",
                    "Tokens of prompts looked up in the prefix cache",
                    "tokens_prompt",
                    VllmNames::all),
            counter(
                    "prefix_cache_hits",
                    "Tokens of prompts found in the prefix cache",
                    "tokens_prompt",
                    VllmNames::cached),
            counter("request_success", "Requests that have ended", "requests_finished", VllmNames::finishedReason),
            histogram("time_to_first_token_seconds", "Time to the first token", "time_to_first_token_seconds"),
            histogram("inter_token_latency_seconds", "Time between two tokens", "inter_token_latency_seconds"),
            // The same under the name that it had before.
            histogram("time_per_output_token_seconds", "Time between two tokens", "inter_token_latency_seconds"),
            histogram(
                    "request_time_per_output_token_seconds",
                    "A request's mean time for a token after the first",
                    "time_per_output_token_seconds"),
            histogram(
                    "e2e_request_latency_seconds",
                    "Time of requests that were answered",
                    "request_duration_seconds",
                    VllmNames::generated),
            histogram("request_queue_time_seconds", "Time in the queue", "queue_time_seconds"),
            histogram("request_prefill_time_seconds", "Time until the first token", "prefill_time_seconds"),
            histogram("request_decode_time_seconds", "Time after the first token", "decode_time_seconds"),
            histogram("request_prompt_tokens", "Tokens of a request's prompt", "request_prompt_tokens"),
            histogram("request_generation_tokens", "Tokens generated for a request", "request_output_tokens"));

    /** vLLM's name for the use of its cache, and the one that it had before, which gateways still look for. */
    private static final List<String> CACHE_USE = List.of("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc");

    private final PrometheusRegistry registry;

    private VllmNames(PrometheusRegistry registry) {
        this.registry = registry;
    }

    /** Has {@code registry}, which has Setun's meters, show them under vLLM's names as well. */
    public static void show(PrometheusRegistry registry) {
        registry.register(new VllmNames(registry));
    }

    @Override
    public List<MetricFamilyDescriptor> getMetricFamilyDescriptors() {
        List<MetricFamilyDescriptor> shown = new ArrayList<>();
        CACHE_USE.forEach(name -> shown.add(descriptor(MetricType.GAUGE, name, CACHE_HELP)));
        ALIASES.forEach(alias -> shown.add(descriptor(alias.type(), alias.name(), alias.help())));
        return shown;
    }

    private static MetricFamilyDescriptor descriptor(MetricType type, String name, String help) {
        return MetricFamilyDescriptor.of(type, name)
                .help(help)
                .labelName(MODEL_NAME)
                .build();
    }

    @Override
    public MetricSnapshots collect() {
        // Of this collector's own names none begins like this, so it is not asked again.
        Map<String, MetricSnapshot> sources = new HashMap<>();
        for (MetricSnapshot source : registry.scrape((Predicate<String>) name -> name.startsWith(PREFIX))) {
            sources.put(source.getMetadata().getPrometheusName(), source);
        }
        List<MetricSnapshot> renamed = new ArrayList<>();
        for (Alias alias : ALIASES) {
            MetricSnapshot source = sources.get(alias.source());
            if (source != null) {
                renamed.add(rename(alias, source));
            }
        }
        renamed.addAll(cacheUse(sources));
        return new MetricSnapshots(renamed);
    }

    private static MetricSnapshot rename(Alias alias, MetricSnapshot source) {
        return switch (source) {
            case GaugeSnapshot gauges -> {
                GaugeSnapshot.Builder builder =
                        GaugeSnapshot.builder().name(alias.name()).help(alias.help());
                grouped(alias, gauges.getDataPoints())
                        .forEach((labels, points) -> builder.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                                .labels(labels)
                                .value(points.stream()
                                        .mapToDouble(GaugeSnapshot.GaugeDataPointSnapshot::getValue)
                                        .sum())
                                .build()));
                yield builder.build();
            }
            case CounterSnapshot counters -> {
                CounterSnapshot.Builder builder =
                        CounterSnapshot.builder().name(alias.name()).help(alias.help());
                grouped(alias, counters.getDataPoints())
                        .forEach(
                                (labels, points) -> builder.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                                        .labels(labels)
                                        .value(points.stream()
                                                .mapToDouble(CounterSnapshot.CounterDataPointSnapshot::getValue)
                                                .sum())
                                        .build()));
                yield builder.build();
            }
            case HistogramSnapshot histograms -> {
                HistogramSnapshot.Builder builder =
                        HistogramSnapshot.builder().name(alias.name()).help(alias.help());
                grouped(alias, histograms.getDataPoints())
                        .forEach((labels, points) -> builder.dataPoint(sum(labels, points)));
                yield builder.build();
            }
            default ->
                throw new IllegalStateException(
                        alias.source() + ": expected a gauge, a counter or a histogram, found " + source.getClass());
        };
    }

    /** Returns the data points that become one, by its labels. */
    private static <P extends DataPointSnapshot> Map<Labels, List<P>> grouped(Alias alias, List<P> points) {
        Map<Labels, List<P>> groups = new HashMap<>();
        for (P point : points) {
            Labels label = alias.label().apply(point.getLabels());
            if (label != null) {
                Labels labels = label.merge(modelName(point.getLabels()));
                groups.computeIfAbsent(labels, key -> new ArrayList<>()).add(point);
            }
        }
        return groups;
    }

    /** Returns one histogram of several with the same bounds. */
    private static HistogramDataPointSnapshot sum(Labels labels, List<HistogramDataPointSnapshot> points) {
        ClassicHistogramBuckets first = points.getFirst().getClassicBuckets();
        double[] bounds = new double[first.size()];
        long[] counts = new long[first.size()];
        for (int i = 0; i < bounds.length; i++) {
            bounds[i] = first.getUpperBound(i);
            for (HistogramDataPointSnapshot point : points) {
                counts[i] += point.getClassicBuckets().getCount(i);
            }
        }
        return HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, counts))
                .sum(points.stream()
                        .mapToDouble(HistogramDataPointSnapshot::getSum)
                        .sum())
                .build();
    }

    /** Returns how full the sequences' memory is: of the two kinds of it, the one that is fuller. */
    private static List<MetricSnapshot> cacheUse(Map<String, MetricSnapshot> sources) {
        if (!(sources.get(USED) instanceof GaugeSnapshot used)
                || !(sources.get(LIMIT) instanceof GaugeSnapshot limit)) {
            return List.of();
        }
        Map<Labels, Double> limits = new HashMap<>();
        limit.getDataPoints().forEach(point -> limits.put(point.getLabels(), point.getValue()));
        Map<Labels, Double> fullest = new HashMap<>();
        for (GaugeSnapshot.GaugeDataPointSnapshot point : used.getDataPoints()) {
            Double most = limits.get(point.getLabels());
            if (most != null) {
                fullest.merge(modelName(point.getLabels()), point.getValue() / most, Math::max);
            }
        }
        List<MetricSnapshot> uses = new ArrayList<>();
        for (String name : CACHE_USE) {
            GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(name).help(CACHE_HELP);
            fullest.forEach((labels, use) -> builder.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                    .labels(labels)
                    .value(use)
                    .build()));
            uses.add(builder.build());
        }
        return uses;
    }

    private static Labels modelName(Labels labels) {
        return Labels.of(MODEL_NAME, String.valueOf(labels.get("model")));
    }

    private static @Nullable Labels cached(Labels labels) {
        return "computed".equals(labels.get("source")) ? null : Labels.EMPTY;
    }

    /** Returns vLLM's word for the reason why a request ended. */
    private static Labels finishedReason(Labels labels) {
        String reason = String.valueOf(labels.get("reason"));
        return Labels.of(
                "finished_reason",
                switch (reason) {
                    case "cancelled" -> "abort";
                    // What there is of the answer is sent, as one that is cut short by its length.
                    case "timeout" -> "length";
                    default -> reason;
                });
    }

    private static @Nullable Labels generated(Labels labels) {
        String endpoint = String.valueOf(labels.get("endpoint"));
        return "success".equals(labels.get("outcome")) && endpoint.endsWith("completions") ? Labels.EMPTY : null;
    }

    private static Labels all(Labels labels) {
        return Labels.EMPTY;
    }

    private static Alias gauge(String name, String help, String source) {
        return alias(MetricType.GAUGE, name, help, source, VllmNames::all);
    }

    private static Alias counter(String name, String help, String source, Function<Labels, @Nullable Labels> label) {
        return alias(MetricType.COUNTER, name, help, source, label);
    }

    private static Alias histogram(String name, String help, String source) {
        return histogram(name, help, source, VllmNames::all);
    }

    private static Alias histogram(String name, String help, String source, Function<Labels, @Nullable Labels> label) {
        return alias(MetricType.HISTOGRAM, name, help, source, label);
    }

    private static Alias alias(
            MetricType type, String name, String help, String source, Function<Labels, @Nullable Labels> label) {
        return new Alias(type, "vllm:" + name, help, PREFIX + source, label);
    }
}
