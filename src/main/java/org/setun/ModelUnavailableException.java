package org.setun;

import org.jspecify.annotations.Nullable;

/** Tells that the server cannot start because it has no model to serve: what is wrong, and what to do. */
final class ModelUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final String action;

    /**
     * Creates the exception.
     *
     * @param description what is wrong: where, what was expected, what was found
     * @param action what to do about it
     */
    ModelUnavailableException(String description, String action, @Nullable Throwable cause) {
        super(description, cause);
        this.action = action;
    }

    /** Returns what to do about it. */
    String action() {
        return action;
    }
}
