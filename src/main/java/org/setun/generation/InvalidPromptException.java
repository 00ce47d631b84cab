package org.setun.generation;

/** Tells that a prompt cannot be continued: a fault of the client, with a message for it. */
public final class InvalidPromptException extends Exception {

    private static final long serialVersionUID = 1;

    private final String code;

    /**
     * Creates the exception.
     *
     * @param code the machine-readable kind, as in an OpenAI error body, such as {@code context_length_exceeded}
     * @param message a sentence for the client
     */
    public InvalidPromptException(String code, String message) {
        super(message);
        this.code = code;
    }

    /** Creates the exception with the cause that it explains. */
    public InvalidPromptException(String code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** Returns the machine-readable kind. */
    public String code() {
        return code;
    }
}
