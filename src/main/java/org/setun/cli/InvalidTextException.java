package org.setun.cli;

import java.nio.file.Path;

/** Tells that a file is not the text that it has to be. */
final class InvalidTextException extends Exception {

    private static final long serialVersionUID = 1;

    /**
     * Creates the exception, whose message is {@code file: problem; remedy}.
     *
     * @param file the file at fault
     * @param problem what was expected and what was found
     * @param remedy what to do about it
     */
    InvalidTextException(Path file, String problem, String remedy) {
        super(file + ": " + problem + "; " + remedy);
    }
}
