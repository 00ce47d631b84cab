package org.setun.engine;

import java.time.Duration;

/**
 * Tells that the engine does not take a request now, or gives one up as it closes. The caller may try again after
 * {@link #retryAfter}.
 */
public final class EngineRejectedException extends Exception {

    private static final long serialVersionUID = 1;

    /** Why a request was not taken. */
    public enum Reason {
        /** As many requests wait as the inbox holds. */
        QUEUE_FULL,
        /** The prompts that wait have as many tokens as may wait. */
        TOKENS_FULL,
        /** The engine finishes what it has and takes nothing new. */
        DRAINING
    }

    private final Reason reason;
    private final Duration retryAfter;

    /** Creates the exception. */
    public EngineRejectedException(Reason reason, Duration retryAfter, String message) {
        super(message);
        this.reason = reason;
        this.retryAfter = retryAfter;
    }

    /** Returns why. */
    public Reason reason() {
        return reason;
    }

    /** Returns how long the caller should wait before the next try. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
