package org.setun.web;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;

/** Ends a request with an error that the client may see: a status, OpenAI's error fields and, at times, a header. */
final class ApiException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** The code of {@link #rateLimited}. */
    static final String RATE_LIMITED = "rate_limit_exceeded";

    private final HttpStatus status;
    private final transient ErrorBody body;
    private final transient HttpHeaders headers = new HttpHeaders();

    private ApiException(HttpStatus status, String type, @Nullable String param, String code, String message) {
        // No stack trace: a client's fault is not a fault of this code, and clients must not make it do costly work.
        super(message, null, false, false);
        this.status = status;
        this.body = ErrorBody.of(message, type, param, code);
    }

    /** Says that a field's value is of the right type, but not allowed. */
    static ApiException invalidValue(String param, String message) {
        return badRequest(param, "invalid_value", message);
    }

    /** Says that a field is not of the right type. */
    static ApiException invalidType(String param, String message) {
        return badRequest(param, "invalid_type", message);
    }

    /** Says that a field which must be there is not. */
    static ApiException missing(String param) {
        return badRequest(param, "missing_required_parameter", param + ": expected a value, found none");
    }

    /** Says that the client asks for what this server cannot do. */
    static ApiException unsupported(String param, String message) {
        return badRequest(param, "unsupported_parameter", message);
    }

    /** Says that the request as a whole cannot be taken. */
    static ApiException badRequest(@Nullable String param, String code, String message) {
        return new ApiException(HttpStatus.BAD_REQUEST, "invalid_request_error", param, code, message);
    }

    /** Says that no model of this name is served. */
    static ApiException modelNotFound(String found, String served) {
        return new ApiException(
                HttpStatus.NOT_FOUND,
                "invalid_request_error",
                "model",
                "model_not_found",
                "model: expected '" + served + "', the model that this server has, found '" + found + "'");
    }

    /** Says that the client got HTTP itself wrong: the path, the method or a header. */
    static ApiException http(HttpStatus status, String code, String message) {
        return new ApiException(status, "invalid_request_error", null, code, message);
    }

    /** Says that the client has no key to this API, and with {@code challenge} by which scheme it may show one. */
    static ApiException unauthorized(String message, String challenge) {
        return new ApiException(HttpStatus.UNAUTHORIZED, "invalid_request_error", null, "invalid_api_key", message)
                .header(HttpHeaders.WWW_AUTHENTICATE, challenge);
    }

    /** Says that the client has used up its rate, and when it may come again; empty for never with this request. */
    static ApiException rateLimited(String message, Optional<Duration> retryAfter) {
        ApiException limited =
                new ApiException(HttpStatus.TOO_MANY_REQUESTS, "rate_limit_error", null, RATE_LIMITED, message);
        retryAfter.ifPresent(limited::retryAfter);
        return limited;
    }

    /** Says that too many requests wait already. */
    static ApiException queueFull(String message, Duration retryAfter) {
        return new ApiException(HttpStatus.TOO_MANY_REQUESTS, "rate_limit_error", null, "queue_full", message)
                .retryAfter(retryAfter);
    }

    /** Says that the server takes no requests because it shuts down. */
    static ApiException draining(String message, Duration retryAfter) {
        return new ApiException(HttpStatus.SERVICE_UNAVAILABLE, "server_error", null, "draining", message)
                .retryAfter(retryAfter);
    }

    /** Says that the server failed, and how to find the fault in its log. */
    static ApiException serverError(String requestId) {
        return new ApiException(
                HttpStatus.INTERNAL_SERVER_ERROR,
                "server_error",
                null,
                "internal_error",
                "the server failed to answer this request; its log tells why under request id " + requestId);
    }

    private ApiException retryAfter(Duration delay) {
        // Whole seconds, rounded up: 0 would invite the client to come back at once.
        headers.set(HttpHeaders.RETRY_AFTER, Long.toString(Math.max(1, (delay.toMillis() + 999) / 1000)));
        return this;
    }

    /** Adds a header to the answer. */
    ApiException header(String name, String value) {
        headers.set(name, value);
        return this;
    }

    HttpStatus status() {
        return status;
    }

    ErrorBody body() {
        return body;
    }

    HttpHeaders headers() {
        return headers;
    }
}
