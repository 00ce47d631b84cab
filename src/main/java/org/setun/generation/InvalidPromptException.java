package org.setun.generation;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Tells that a prompt cannot be continued, or not as it was asked for: a fault of the client, with a message for it. */
public final class InvalidPromptException extends Exception {

    private static final long serialVersionUID = 1;

    private final String code;
    private final @Nullable String field;

    /**
     * Creates the exception.
     *
     * @param code the machine-readable kind, as in an OpenAI error body, such as {@code context_length_exceeded}
     * @param message a sentence for the client
     */
    public InvalidPromptException(String code, String message) {
        super(message);
        this.code = code;
        this.field = null;
    }

    /**
     * Creates the exception for a field beside the prompt.
     *
     * @param field the field's name in a request's JSON
     */
    InvalidPromptException(String field, String code, String message) {
        super(message);
        this.code = code;
        this.field = field;
    }

    /** Creates the exception with the cause that it explains. */
    public InvalidPromptException(String code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.field = null;
    }

    /** Returns the name of the field at fault; empty if it is the prompt. */
    public Optional<String> field() {
        return Optional.ofNullable(field);
    }

    /** Returns the machine-readable kind. */
    public String code() {
        return code;
    }
}
