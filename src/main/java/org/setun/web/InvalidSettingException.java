package org.setun.web;

/** Tells that the API cannot start because of a setting: which, what was expected, what was found. */
public final class InvalidSettingException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** Creates the exception with a sentence for the operator, which must not tell a key. */
    public InvalidSettingException(String message) {
        super(message);
    }

    /** Creates the exception with the cause that it explains. */
    public InvalidSettingException(String message, Throwable cause) {
        super(message, cause);
    }
}
