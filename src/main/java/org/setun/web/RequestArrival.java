package org.setun.web;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;

/**
 * When a request came, and its name.
 *
 * @param requestId what the client or this server calls it, in headers and logs
 * @param nanoTime the time of {@link System#nanoTime} when its headers had come
 */
record RequestArrival(String requestId, long nanoTime) {

    /** The header that carries the request id, both ways. */
    static final String HEADER = "x-request-id";

    private static final String ATTRIBUTE = RequestArrival.class.getName();

    // What is safe to write to a header and a log line, and long enough for any id in use.
    private static final Pattern VALID_ID = Pattern.compile("[A-Za-z0-9._:/+=@-]{1,128}");

    /** Returns the arrival of {@code exchange}, which is now if nobody has asked before. */
    static RequestArrival of(ServerWebExchange exchange) {
        RequestArrival known = exchange.getAttribute(ATTRIBUTE);
        if (known != null) {
            return known;
        }
        String requestId = validId(exchange.getRequest().getHeaders().getFirst(HEADER))
                .orElseGet(() -> "req_" + UUID.randomUUID().toString().replace("-", ""));
        RequestArrival arrival = new RequestArrival(requestId, System.nanoTime());
        exchange.getAttributes().put(ATTRIBUTE, arrival);
        return arrival;
    }

    /** Returns the time that has passed since. */
    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    private static Optional<String> validId(@Nullable String id) {
        return Optional.ofNullable(id).filter(text -> VALID_ID.matcher(text).matches());
    }
}
