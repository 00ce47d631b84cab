package org.setun.web;

import java.time.Duration;
import java.util.List;

/**
 * The limits of the API.
 *
 * @param maxBodySize how many bytes a request's body may have, at least 1
 * @param keepAliveInterval after how long a silent stream gets a comment; zero for never
 * @param corsAllowedOrigins the origins whose pages may use the API, such as {@code https://chat.example.org}, or {@code
 *     *} for all; empty for none but the server's own
 * @param accessLog whether each request is logged
 */
public record ApiSettings(
        int maxBodySize, Duration keepAliveInterval, List<String> corsAllowedOrigins, boolean accessLog) {

    public ApiSettings {
        corsAllowedOrigins = List.copyOf(corsAllowedOrigins);
        if (maxBodySize < 1) {
            throw new IllegalArgumentException("maxBodySize: expected 1 or more, found " + maxBodySize);
        }
        if (keepAliveInterval.isNegative()) {
            throw new IllegalArgumentException("keepAliveInterval: expected 0 or more, found " + keepAliveInterval);
        }
    }
}
