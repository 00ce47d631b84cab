package org.setun.store;

/** A value is not what was saved: the message says what was expected and what was found. */
final class InvalidEntryException extends Exception {

    private static final long serialVersionUID = 1L;

    InvalidEntryException(String what, Object expected, Object found) {
        super(what + ": expected " + expected + ", found " + found);
    }
}
