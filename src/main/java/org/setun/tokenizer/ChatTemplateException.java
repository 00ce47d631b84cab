package org.setun.tokenizer;

/** Tells that a conversation cannot be rendered: a fault of the client or of the model's files. */
public final class ChatTemplateException extends Exception {

    private static final long serialVersionUID = 1;

    /** Creates the exception with a sentence for the client. */
    public ChatTemplateException(String message) {
        super(message);
    }

    /** Creates the exception with a sentence for the client and its cause. */
    public ChatTemplateException(String message, Throwable cause) {
        super(message, cause);
    }
}
