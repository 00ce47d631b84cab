package org.setun.web;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import org.setun.engine.Urgency;

/** Reads the fields that say how urgent a request is: vLLM's {@code priority}, and {@code timeout} in seconds. */
final class UrgencyFields {

    /** A day: nobody waits longer. */
    private static final double MAX_TIMEOUT = 86_400;

    private static final double MILLIS = 1e3;

    private UrgencyFields() {}

    static Urgency read(JsonFields fields) {
        int priority =
                fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE).orElse(0);
        OptionalDouble timeout = fields.number("timeout", 0, true, MAX_TIMEOUT);
        return new Urgency(
                priority,
                timeout.isEmpty()
                        ? Optional.empty()
                        : Optional.of(Duration.ofMillis(Math.max(1, Math.round(timeout.getAsDouble() * MILLIS)))));
    }
}
