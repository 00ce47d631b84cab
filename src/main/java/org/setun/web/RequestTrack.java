package org.setun.web;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;
import org.setun.web.RequestObserver.Outcome;

/** Follows one request for the observer. Its calls follow one another, on whatever thread. */
final class RequestTrack {

    private final RequestObserver observer;
    private final String endpoint;
    private final RequestArrival arrival;
    private volatile boolean stream;
    private boolean streaming;
    private volatile @Nullable Duration firstText;
    // Until it is known better: a server that notices a closed connection only sees that sending has ended, as ever.
    private volatile Outcome outcome = Outcome.CANCELLED;

    /** Begins to follow a request to the endpoint of that name in metrics. */
    RequestTrack(RequestObserver observer, String endpoint, RequestArrival arrival) {
        this.observer = observer;
        this.endpoint = endpoint;
        this.arrival = arrival;
    }

    /** Sees whether the answer is to be streamed. */
    void read(GenerationCall call) {
        stream = call.stream();
    }

    /** Sees that the answer begins to be streamed. */
    void streaming() {
        streaming = true;
        observer.streamOpened();
    }

    /** Sees events on their way out. */
    void sent(List<Generations.ChoiceEvent> events) {
        if (firstText == null && events.stream().anyMatch(event -> event.event() instanceof GenerationEvent.Text)) {
            Duration elapsed = arrival.elapsed();
            firstText = elapsed;
            observer.firstText(elapsed);
        }
    }

    /** Returns how long after the request's arrival its first text was on its way out; empty if it is not yet. */
    Optional<Duration> firstText() {
        return Optional.ofNullable(firstText);
    }

    /** Sees what went wrong, and returns what the client is told. */
    ApiException failed(Throwable failure) {
        if (failure instanceof RejectedExecutionException) {
            observer.unread();
        }
        ApiException error = Failures.describe(failure, arrival.requestId());
        outcome = switch (error.status()) {
            case TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE -> Outcome.REJECTED;
            default -> error.status().is4xxClientError() ? Outcome.CLIENT_ERROR : Outcome.SERVER_ERROR;
        };
        return error;
    }

    /** Sees that all of the answer is on its way, be it an error in its midst. */
    void answered() {
        if (outcome == Outcome.CANCELLED) {
            outcome = Outcome.SUCCESS;
        }
    }

    /** Sees the end. */
    void ended() {
        if (streaming) {
            observer.streamClosed();
        }
        observer.requestEnded(
                new RequestObserver.Ended(arrival.requestId(), endpoint, stream, outcome, arrival.elapsed()));
    }
}
