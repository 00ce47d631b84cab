package org.setun.cli.load;

/** Tells why a request has no answer, and what kind of reason that is. */
public final class FailedRequestException extends Exception {

    private static final long serialVersionUID = 1;

    /** The server did not let itself be reached, or closed the connection before it answered. */
    static final String CONNECTION = "connection";

    /** The stream ended before it said that it would. */
    static final String BROKEN_STREAM = "broken_stream";

    /** The answer is no stream of chunks. */
    static final String MALFORMED_STREAM = "malformed_stream";

    /** The server sent an error in the stream. */
    static final String ERROR_EVENT = "error_event";

    /** The answer took longer than the plan allows. */
    static final String TIMEOUT = "timeout";

    private final String kind;

    FailedRequestException(String kind, String message) {
        super(message);
        this.kind = kind;
    }

    static FailedRequestException malformed(String message) {
        return new FailedRequestException(MALFORMED_STREAM, message);
    }

    /** Returns one of the constants above, or {@code status_} and the number of an HTTP status. */
    String kind() {
        return kind;
    }
}
