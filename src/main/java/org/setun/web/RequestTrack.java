package org.setun.web;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.web.RequestObserver.Outcome;
import org.springframework.web.server.ServerWebExchange;

/** Follows one request for the observer. Its calls follow one another, on whatever thread. */
final class RequestTrack {

    private static final String ATTRIBUTE = RequestTrack.class.getName();

    private final RequestObserver observer;
    private final String endpoint;
    private final RequestArrival arrival;
    private final Map<String, Object> attributes;
    private volatile boolean stream;
    private volatile int answersPerPrompt = 1;
    private volatile @Nullable String answerId;
    private final AnswerTotals answers = new AnswerTotals();
    private boolean streaming;
    private volatile @Nullable Duration firstText;
    // Until it is known better: a server that notices a closed connection only sees that sending has ended, as ever.
    private volatile Outcome outcome = Outcome.CANCELLED;

    private RequestTrack(RequestObserver observer, String endpoint, ServerWebExchange exchange) {
        this.observer = observer;
        this.endpoint = endpoint;
        this.arrival = RequestArrival.of(exchange);
        this.attributes = exchange.getAttributes();
    }

    /** Begins to follow a request to the endpoint of that name in metrics. */
    static RequestTrack begin(RequestObserver observer, String endpoint, ServerWebExchange exchange) {
        RequestTrack track = new RequestTrack(observer, endpoint, exchange);
        exchange.getAttributes().put(ATTRIBUTE, track);
        return track;
    }

    /** Returns what follows the request of {@code exchange}; empty if its endpoint has not been reached. */
    static Optional<RequestTrack> of(ServerWebExchange exchange) {
        return Optional.ofNullable(exchange.getAttribute(ATTRIBUTE));
    }

    /** Sees whether the answer is to be streamed. */
    void read(GenerationCall call) {
        stream = call.stream();
        answersPerPrompt = call.choices().generated();
    }

    /** Sees how the answer will be called, and what the engine is about to be asked for. */
    void submitting(String id, List<GenerationRequest> requests) {
        answerId = id;
        observer.submitted(endpoint, attributes, ids(requests));
    }

    /** Sees what of it the engine was not asked for, or in vain; that may be nothing. */
    void refused(List<GenerationRequest> requests) {
        if (!requests.isEmpty()) {
            observer.refused(ids(requests));
        }
    }

    private static List<String> ids(List<GenerationRequest> requests) {
        return requests.stream().map(GenerationRequest::id).toList();
    }

    /** Sees that the answer begins to be streamed. */
    void streaming() {
        streaming = true;
        observer.streamOpened();
    }

    /** Sees events on their way out. */
    void sent(List<Generations.ChoiceEvent> events) {
        for (Generations.ChoiceEvent event : events) {
            if (event.event() instanceof GenerationEvent.Finished end) {
                answers.add(event.index() % answersPerPrompt == 0, end);
            }
        }
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

    /** Tells {@code field} what is worth logging, and returns it in words that go on with a line. */
    String describe(BiConsumer<String, Object> field) {
        field.accept("outcome", outcome.name().toLowerCase(Locale.ROOT));
        field.accept("stream", stream);
        String id = answerId;
        if (id != null) {
            field.accept("answer_id", id);
        }
        firstText().ifPresent(elapsed -> field.accept("time_to_first_token_ms", elapsed.toMillis()));
        String words = answers.describe(field);
        return outcome == Outcome.SUCCESS
                ? words
                : words + ", " + outcome.name().toLowerCase(Locale.ROOT);
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
