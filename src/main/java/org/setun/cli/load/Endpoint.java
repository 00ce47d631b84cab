package org.setun.cli.load;

/** Where requests go. */
public enum Endpoint {
    /** Texts or token ids to continue. */
    COMPLETIONS("/v1/completions"),
    /** Conversations of one question. */
    CHAT("/v1/chat/completions");

    private final String path;

    Endpoint(String path) {
        this.path = path;
    }

    String path() {
        return path;
    }
}
