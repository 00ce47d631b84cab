package org.setun.cli.load;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Plans of tests: everything at once. */
final class LoadPlans {

    static final Workload WORKLOAD =
            new Workload(Lengths.parse("10"), Lengths.parse("5"), 0, 1, true, OptionalDouble.empty());

    private LoadPlans() {}

    static LoadPlan of(String server, Endpoint endpoint, Workload workload, int requests, long seed) {
        return new LoadPlan(
                URI.create(server),
                endpoint,
                Optional.empty(),
                Optional.empty(),
                OptionalInt.empty(),
                workload,
                new Arrivals(Double.POSITIVE_INFINITY, OptionalInt.of(requests), null),
                OptionalInt.empty(),
                Duration.ofSeconds(50),
                seed);
    }
}
