package org.setun.store;

/** Redis did not answer, or not as it should; the message says why. */
final class StoreFaultException extends Exception {

    private static final long serialVersionUID = 1L;

    StoreFaultException(String message, Throwable cause) {
        super(message, cause);
    }
}
