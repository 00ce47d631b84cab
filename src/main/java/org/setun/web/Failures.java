package org.setun.web;

import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.setun.engine.EngineRejectedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.web.server.MethodNotAllowedException;
import org.springframework.web.server.ResponseStatusException;
import reactor.netty.channel.AbortedException;

/** Turns what went wrong into what the client is told; what is not the client's to know goes to the log. */
final class Failures {

    private static final Logger log = LoggerFactory.getLogger(Failures.class);

    private static final Duration SOON = Duration.ofSeconds(1);

    private Failures() {}

    /** Returns the error for the client of the request {@code requestId}. */
    static ApiException describe(Throwable failure, String requestId) {
        return switch (failure) {
            case ApiException known -> known;
            case EngineRejectedException rejected -> describe(rejected);
            case TimeoutException timeout ->
                ApiException.http(HttpStatus.REQUEST_TIMEOUT, "timeout", Objects.requireNonNull(timeout.getMessage()));
            case RejectedExecutionException full ->
                ApiException.queueFull("too many requests wait to be read; try again later", SOON);
            case MethodNotAllowedException method ->
                ApiException.http(
                                HttpStatus.METHOD_NOT_ALLOWED,
                                "method_not_allowed",
                                "expected the method " + methods(method) + ", found " + method.getHttpMethod())
                        .header(HttpHeaders.ALLOW, methods(method));
            case ResponseStatusException http ->
                http.getStatusCode().is4xxClientError() ? describe(http) : unexplained(http, requestId);
            default -> unexplained(failure, requestId);
        };
    }

    /** Returns whether {@code failure} only says that the client has closed the connection. */
    static boolean isDisconnect(Throwable failure) {
        // Which of these it is depends on whether a write, a read or neither notices first.
        return failure instanceof AbortedException
                || failure instanceof ClosedChannelException
                || AbortedException.isConnectionReset(failure);
    }

    private static ApiException unexplained(Throwable failure, String requestId) {
        log.atError().addKeyValue("request_id", requestId).setCause(failure).log("request {} failed", requestId);
        return ApiException.serverError(requestId);
    }

    private static ApiException describe(EngineRejectedException rejected) {
        String message = Objects.requireNonNull(rejected.getMessage());
        return switch (rejected.reason()) {
            case QUEUE_FULL, TOKENS_FULL -> ApiException.queueFull(message, rejected.retryAfter());
            case DRAINING -> ApiException.draining(message, rejected.retryAfter());
        };
    }

    private static ApiException describe(ResponseStatusException http) {
        HttpStatus status = HttpStatus.valueOf(http.getStatusCode().value());
        return status == HttpStatus.NOT_FOUND
                ? ApiException.http(status, "unknown_url", "there is nothing at this URL")
                : ApiException.http(status, status.name().toLowerCase(Locale.ROOT), status.getReasonPhrase());
    }

    private static String methods(MethodNotAllowedException exception) {
        return exception.getSupportedMethods().stream()
                .map(HttpMethod::name)
                .sorted()
                .collect(Collectors.joining(", "));
    }
}
