package org.setun.cli.load;

/** Tells in a sentence why a server cannot be put under load at all. */
public final class LoadTestException extends Exception {

    private static final long serialVersionUID = 1;

    LoadTestException(String message) {
        super(message);
    }

    LoadTestException(String message, Throwable cause) {
        super(message, cause);
    }
}
