package org.setun.cli.chat;

/** Tells in a sentence why a question has no answer. */
final class AnswerFailedException extends Exception {

    private static final long serialVersionUID = 1;

    AnswerFailedException(String message) {
        super(message);
    }

    AnswerFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
