package org.setun.web;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Sees what the API does, for metrics. Methods may run on any thread, must be quick and must not throw. */
public interface RequestObserver {

    /** How a request ended, as its client saw it. */
    enum Outcome {
        /** The whole answer was sent. */
        SUCCESS,
        /** The client went away. */
        CANCELLED,
        /** The client sent what cannot be answered. */
        CLIENT_ERROR,
        /** The server was too busy, or draining. */
        REJECTED,
        /** The server failed. */
        SERVER_ERROR
    }

    /** Sees the first text of an answer, {@code sinceArrival} after the request's headers had come. */
    void firstText(Duration sinceArrival);

    /** Sees a request that is refused because its caller has used up its rate. */
    void rateLimited();

    /** Sees a request that is refused because too many others wait to be read and tokenised. */
    void unread();

    /**
     * Sees which answers a request is about to ask the engine for.
     *
     * @param endpoint the endpoint's short name
     * @param attributes those of the HTTP exchange
     * @param ids the answers' names in the engine
     */
    void submitted(String endpoint, Map<String, Object> attributes, List<String> ids);

    /** Sees which of these answers the engine was not asked for in the end, or was and is to cancel. */
    void refused(List<String> ids);

    /** Sees that the answer to a request begins to be streamed. */
    void streamOpened();

    /** Sees that a stream has ended, in whatever way; as often as {@link #streamOpened}. */
    void streamClosed();

    /**
     * The end of a request.
     *
     * @param requestId the id that its answer carries in the header {@code x-request-id}
     * @param endpoint its short name, such as {@code chat_completions}
     * @param stream whether the answer was to be streamed; false also where the body could not be read
     * @param outcome how it ended
     * @param duration from the arrival of its headers to the end of its answer
     */
    record Ended(String requestId, String endpoint, boolean stream, Outcome outcome, Duration duration) {}

    /** Sees the end of a request, which may come after the client has read all of the answer. */
    void requestEnded(Ended end);
}
