package org.setun.hub;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Says that a request failed for a reason that may pass: a broken connection, or a server that is busy. */
final class TransientException extends Exception {

    private static final long serialVersionUID = 1L;

    @SuppressWarnings("serial") // Durations are serializable; nothing here ever is.
    private final @Nullable Duration retryAfter;

    /**
     * Creates an exception.
     *
     * @param message what happened, as a clause
     * @param retryAfter how long the server asks to wait; null where it does not say
     */
    TransientException(String message, @Nullable Duration retryAfter) {
        super(message);
        this.retryAfter = retryAfter;
    }

    TransientException(String message) {
        super(message);
        this.retryAfter = null;
    }

    TransientException(String message, Throwable cause) {
        super(message, cause);
        this.retryAfter = null;
    }

    /** Returns how long the server asks to wait, if it does. */
    Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
