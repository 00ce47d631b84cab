package org.setun.web;

/** The endpoints that generate text, and what differs between them. */
enum Endpoint {
    /** {@code POST /v1/completions}. */
    COMPLETIONS("completions", "prompt") {
        @Override
        GenerationCall read(CallReader reader, JsonFields fields) {
            return reader.readCompletion(fields);
        }

        @Override
        AnswerFormat format(GenerationCall call) {
            return call.completionFormat();
        }
    },

    /** {@code POST /v1/chat/completions}. */
    CHAT_COMPLETIONS("chat_completions", "messages") {
        @Override
        GenerationCall read(CallReader reader, JsonFields fields) {
            return reader.readChat(fields);
        }

        @Override
        AnswerFormat format(GenerationCall call) {
            return new ChatFormat(call.details().scores().isPresent());
        }
    };

    private final String label;
    private final String promptParam;

    Endpoint(String label, String promptParam) {
        this.label = label;
        this.promptParam = promptParam;
    }

    /** Reads and checks the fields of a request's body. */
    abstract GenerationCall read(CallReader reader, JsonFields fields);

    /** Returns how the answer to {@code call} is written. */
    abstract AnswerFormat format(GenerationCall call);

    /** Returns the name in metrics. */
    String label() {
        return label;
    }

    /** Returns the field that holds the prompt. */
    String promptParam() {
        return promptParam;
    }
}
