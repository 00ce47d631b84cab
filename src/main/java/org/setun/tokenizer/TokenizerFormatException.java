package org.setun.tokenizer;

import java.nio.file.Path;

/** Tells that a tokenizer's files are missing or cannot be used. */
public final class TokenizerFormatException extends Exception {

    private static final long serialVersionUID = 1;

    /**
     * Creates the exception, whose message is {@code file: problem; remedy}.
     *
     * @param file the file at fault
     * @param problem what was expected and what was found
     * @param remedy what to do about it
     */
    public TokenizerFormatException(Path file, String problem, String remedy) {
        super(file + ": " + problem + "; " + remedy);
    }

    /** Creates the exception as {@link #TokenizerFormatException(Path, String, String)} does, with its cause. */
    public TokenizerFormatException(Path file, String problem, String remedy, Throwable cause) {
        super(file + ": " + problem + "; " + remedy, cause);
    }
}
