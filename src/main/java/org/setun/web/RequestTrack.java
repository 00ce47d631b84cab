package org.setun.web;

import java.util.List;
import org.setun.generation.GenerationEvent;
import org.setun.web.RequestObserver.Outcome;
import reactor.core.publisher.SignalType;

/** Follows one request for the observer. Its calls follow one another, on whatever thread. */
final class RequestTrack {

    private final RequestObserver observer;
    private final Endpoint endpoint;
    private final RequestArrival arrival;
    private volatile boolean stream;
    private volatile boolean textSeen;
    private volatile Outcome outcome = Outcome.SUCCESS;

    RequestTrack(RequestObserver observer, Endpoint endpoint, RequestArrival arrival) {
        this.observer = observer;
        this.endpoint = endpoint;
        this.arrival = arrival;
    }

    /** Sees whether the answer is to be streamed. */
    void read(GenerationCall call) {
        stream = call.stream();
    }

    /** Sees events on their way out. */
    void sent(List<Generations.ChoiceEvent> events) {
        if (!textSeen && events.stream().anyMatch(event -> event.event() instanceof GenerationEvent.Text)) {
            textSeen = true;
            observer.firstText(arrival.elapsed());
        }
    }

    /** Sees the error that the client is told. */
    void failed(ApiException error) {
        outcome = switch (error.status()) {
            case TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE -> Outcome.REJECTED;
            default -> error.status().is4xxClientError() ? Outcome.CLIENT_ERROR : Outcome.SERVER_ERROR;
        };
    }

    /** Sees that the client has gone. */
    void disconnected() {
        outcome = Outcome.CANCELLED;
    }

    /** Sees the end. */
    void ended(SignalType signal) {
        if (signal == SignalType.CANCEL) {
            disconnected();
        }
        observer.requestEnded(endpoint.label(), stream, outcome, arrival.elapsed());
    }
}
