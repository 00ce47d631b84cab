package org.setun;

import java.util.Optional;
import org.setun.engine.EngineObserver;
import org.setun.engine.ObserverPair;
import org.springframework.core.env.Environment;

/**
 * Traces, or none: without an endpoint nothing of OpenTelemetry is even loaded.
 *
 * @param on what makes them; empty if they are off
 */
record Tracing(Optional<RequestTracing> on) implements AutoCloseable {

    /** Begins to trace, if the settings say where to. */
    static Tracing of(Environment environment) {
        return new Tracing(TracingSettings.of(environment).map(RequestTracing::new));
    }

    /** Returns {@code observer}, and what makes spans beside it. */
    EngineObserver beside(EngineObserver observer) {
        return on.<EngineObserver>map(traces -> new ObserverPair(observer, traces))
                .orElse(observer);
    }

    /** Sends what there is, for a few seconds at most. */
    @Override
    public void close() {
        on.ifPresent(RequestTracing::close);
    }
}
