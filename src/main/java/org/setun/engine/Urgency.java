package org.setun.engine;

import java.time.Duration;
import java.util.Optional;

/**
 * How urgent a request is.
 *
 * @param priority requests of a lower number come first, as in vLLM; those of the same one in their order of arrival
 * @param timeout how long after its submission the request ends whatever it has got; more than 0, empty for no limit
 */
public record Urgency(int priority, Optional<Duration> timeout) {

    /** Priority 0, no limit. */
    public static final Urgency NORMAL = new Urgency(0, Optional.empty());

    public Urgency {
        if (timeout.isPresent() && !timeout.get().isPositive()) {
            throw new IllegalArgumentException("timeout: expected more than 0, found " + timeout.get());
        }
    }
}
