package org.setun.metrics;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.setun.engine.EngineActivity;
import org.setun.engine.ExpertUsage;
import org.setun.engine.SiteCounts;

/** The meters of what an engine's model does. They read the engine's own counters when they are read themselves. */
final class ActivityMeters {

    private static final Map<String, Duration> WINDOWS =
            Map.of("1m", Duration.ofMinutes(1), "10m", Duration.ofMinutes(10));

    private final Meters meters;
    private final EngineActivity activity;

    private ActivityMeters(Meters meters, EngineActivity activity) {
        this.meters = meters;
        this.activity = activity;
    }

    static void register(Meters meters, EngineActivity activity) {
        ActivityMeters all = new ActivityMeters(meters, activity);
        List<SiteCounts> sites =
                IntStream.range(0, activity.sites()).mapToObj(activity::site).toList();
        for (int index = 0; index < sites.size(); index++) {
            all.registerSite(index, sites.get(index));
        }
        sites.stream()
                .map(SiteCounts::component)
                .distinct()
                .forEach(component -> all.registerComponent(
                        component,
                        IntStream.range(0, sites.size())
                                .filter(index -> sites.get(index).component().equals(component))
                                .toArray()));
        activity.experts().forEach(all::registerExperts);
        meters.gauge(SetunMeter.MEMORY_BANDWIDTH, activity::readBytesPerSecond, "reached");
    }

    private void registerSite(int index, SiteCounts site) {
        // Nothing is given to these as codes.
        if (site.site().equals("embedding") || site.site().equals("attention")) {
            return;
        }
        String layer = site.layer().isPresent() ? Integer.toString(site.layer().getAsInt()) : site.site();
        meters.counter(
                SetunMeter.ACTIVATION_ELEMENTS, () -> activity.site(index).elements(), layer, site.site());
        meters.counter(SetunMeter.ACTIVATION_ZEROS, () -> activity.site(index).zeros(), layer, site.site());
    }

    private void registerComponent(String component, int[] sites) {
        registerSum(SetunMeter.WEIGHT_BYTES_DENSE, SiteCounts::denseBytes, sites, component);
        registerSum(SetunMeter.WEIGHT_BYTES_READ, SiteCounts::readBytes, sites, component);
        registerSum(SetunMeter.OPS_DENSE, SiteCounts::denseOperations, sites, component, "add");
        registerSum(SetunMeter.OPS_DENSE, SiteCounts::denseOperations, sites, component, "mul");
        registerSum(SetunMeter.OPS_EXECUTED, SiteCounts::additions, sites, component, "add");
        registerSum(SetunMeter.OPS_EXECUTED, SiteCounts::multiplications, sites, component, "mul");
    }

    private void registerSum(SetunMeter meter, ToLongFunction<SiteCounts> count, int[] sites, String... tagValues) {
        meters.counter(
                meter,
                () -> {
                    double sum = 0;
                    for (int site : sites) {
                        sum += count.applyAsLong(activity.site(site));
                    }
                    return sum;
                },
                tagValues);
    }

    private void registerExperts(ExpertUsage usage) {
        String layer = Integer.toString(usage.layer());
        meters.counter(SetunMeter.PEER_LOOKUPS, usage::lookups, layer);
        meters.counter(SetunMeter.PEER_EXPERTS_ACTIVATED, usage::activated, layer);
        for (String window : new TreeSet<>(WINDOWS.keySet())) {
            Duration duration = Objects.requireNonNull(WINDOWS.get(window));
            meters.gauge(SetunMeter.PEER_EXPERTS_DISTINCT, () -> usage.distinct(duration), layer, window);
        }
        meters.gauge(SetunMeter.PEER_USAGE_ENTROPY, () -> usage.spread().entropy(), layer);
        meters.gauge(SetunMeter.PEER_USAGE_GINI, () -> usage.spread().gini(), layer);
        meters.gauge(SetunMeter.PEER_TOP1PCT_SHARE, () -> usage.spread().topShare(), layer);
        for (int first = 0; first < usage.topK(); first = Math.max(1, 2 * first)) {
            registerHits(usage, layer, first, Math.min(usage.topK(), Math.max(1, 2 * first)));
        }
    }

    /** Makes a counter for some neighbouring ranks; in tags they count from 1. */
    private void registerHits(ExpertUsage usage, String layer, int from, int to) {
        String ranks = to == from + 1 ? Integer.toString(to) : (from + 1) + "-" + to;
        meters.counter(
                SetunMeter.PEER_HIT_RANK,
                () -> IntStream.range(from, to).mapToLong(usage::hits).sum(),
                layer,
                ranks);
    }
}
