package org.setun.cli.load;

/**
 * What became of a request. Times are those of {@link System#nanoTime}.
 *
 * <p>{@code intended} is when the request was to be sent, and every latency counts from there. If it counted from when the request
 * was sent, a server that stalls would look fast: the requests that its stall holds back, by a full connection pool or a
 * concurrency limit, would start their clocks only after it ("coordinated omission").
 */
sealed interface Outcome {

    long intended();

    /** Returns when the request was sent. */
    long sent();

    /** Returns when it had ended. */
    long ended();

    /**
     * The answer came to its end.
     *
     * @param first when its first text came
     * @param last when its last text came
     * @param gaps the nanoseconds between one text and the next; each is a token unless the server sends several together
     * @param promptTokens the prompt's tokens by the server's count; 0 if it does not count
     * @param cachedTokens those of them which the server had computed before
     * @param outputTokens the answer's tokens; those texts that came, if the server does not count
     * @param counted whether the server counted
     */
    record Completed(
            long intended,
            long sent,
            long first,
            long last,
            long ended,
            long[] gaps,
            int promptTokens,
            int cachedTokens,
            int outputTokens,
            boolean counted)
            implements Outcome {}

    /** The server had too much to do and said so: status 429. */
    record Rejected(long intended, long sent, long ended) implements Outcome {}

    /**
     * There is no whole answer.
     *
     * @param kind as {@link FailedRequestException#kind}
     * @param message what happened
     */
    record Failed(long intended, long sent, long ended, String kind, String message) implements Outcome {}
}
