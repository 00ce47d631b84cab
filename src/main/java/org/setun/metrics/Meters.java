package org.setun.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes meters as {@link SetunMeter} describes them, in one registry and for one model. Each method takes the values of the tags
 * in the order of {@link SetunMeter#tagKeys}, and returns the same meter for the same values. Thread-safe.
 */
final class Meters {

    private final MeterRegistry registry;
    private final Tags model;

    Meters(MeterRegistry registry, String modelName) {
        this.registry = registry;
        this.model = Tags.of("model", modelName);
    }

    Counter counter(SetunMeter meter, String... tagValues) {
        require(meter, Meter.Type.COUNTER);
        return Counter.builder(meter.meterName())
                .description(meter.description())
                .baseUnit(unit(meter))
                .tags(tags(meter, tagValues))
                .register(registry);
    }

    /** Makes a counter of what is counted elsewhere; {@code count} must be cheap, never fall, and outlive the registry's readers. */
    void counter(SetunMeter meter, Supplier<Number> count, String... tagValues) {
        require(meter, Meter.Type.COUNTER);
        // The registry holds what it counts of weakly, and the function for good.
        FunctionCounter.builder(meter.meterName(), this, meters -> count.get().doubleValue())
                .description(meter.description())
                .baseUnit(unit(meter))
                .tags(tags(meter, tagValues))
                .register(registry);
    }

    /** Makes a gauge; {@code value} must be cheap, and outlive the registry's readers. */
    void gauge(SetunMeter meter, Supplier<Number> value, String... tagValues) {
        require(meter, Meter.Type.GAUGE);
        Gauge.builder(meter.meterName(), value)
                .description(meter.description())
                .baseUnit(unit(meter))
                .tags(tags(meter, tagValues))
                .register(registry);
    }

    Timer timer(SetunMeter meter, String... tagValues) {
        require(meter, Meter.Type.TIMER);
        return Timer.builder(meter.meterName())
                .description(meter.description())
                .tags(tags(meter, tagValues))
                .serviceLevelObjectives(Arrays.stream(meter.bounds())
                        .mapToObj(seconds -> Duration.ofNanos(Math.round(seconds * 1e9)))
                        .toArray(Duration[]::new))
                .register(registry);
    }

    DistributionSummary summary(SetunMeter meter, String... tagValues) {
        require(meter, Meter.Type.DISTRIBUTION_SUMMARY);
        return DistributionSummary.builder(meter.meterName())
                .description(meter.description())
                .baseUnit(unit(meter))
                .tags(tags(meter, tagValues))
                .serviceLevelObjectives(meter.bounds())
                .register(registry);
    }

    private Tags tags(SetunMeter meter, String... values) {
        List<String> keys = meter.tagKeys();
        if (values.length != keys.size()) {
            throw new IllegalArgumentException(
                    meter.meterName() + ": expected values for " + keys + ", found " + Arrays.toString(values));
        }
        Tags tags = model;
        for (int i = 0; i < values.length; i++) {
            tags = tags.and(keys.get(i), values[i]);
        }
        return tags;
    }

    private static void require(SetunMeter meter, Meter.Type type) {
        if (meter.type() != type) {
            throw new IllegalArgumentException(meter.meterName() + ": expected a " + meter.type() + ", found " + type);
        }
    }

    private static @Nullable String unit(SetunMeter meter) {
        return meter.unit().isEmpty() ? null : meter.unit();
    }
}
