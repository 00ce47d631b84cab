package org.setun.engine;

import java.time.Duration;
import java.util.Optional;

/**
 * How urgent a request is.
 *
 * @param priority requests of a lower number come first, as in vLLM; of those of the same one the callers' in turns, and each
 *     caller's in their order of arrival
 * @param timeout how long after its submission the request ends whatever it has got; more than 0, empty for no limit
 * @param caller who asks, as far as it is known: an opaque name, of which there are few; empty for everybody else
 */
public record Urgency(int priority, Optional<Duration> timeout, String caller) {

    /** Priority 0, no limit. */
    public static final Urgency NORMAL = new Urgency(0, Optional.empty());

    public Urgency {
        if (timeout.isPresent() && !timeout.get().isPositive()) {
            throw new IllegalArgumentException("timeout: expected more than 0, found " + timeout.get());
        }
    }

    /** Creates the urgency of a request of which nobody says who asks. */
    public Urgency(int priority, Optional<Duration> timeout) {
        this(priority, timeout, "");
    }

    /** Creates the same urgency of a request of {@code name}. */
    public Urgency of(String name) {
        return new Urgency(priority, timeout, name);
    }
}
