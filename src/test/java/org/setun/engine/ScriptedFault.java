package org.setun.engine;

/** A fault that a test provokes. It has no stack trace, so that thousands of them leave the build's log readable. */
final class ScriptedFault extends RuntimeException {

    private static final long serialVersionUID = 1;

    ScriptedFault(String message) {
        super(message, null, true, false);
    }
}
