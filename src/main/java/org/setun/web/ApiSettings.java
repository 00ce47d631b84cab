package org.setun.web;

import java.time.Duration;

/**
 * The limits of the API.
 *
 * @param maxBodySize how many bytes a request's body may have, at least 1
 * @param keepAliveInterval after how long a silent stream gets a comment; zero for never
 */
public record ApiSettings(int maxBodySize, Duration keepAliveInterval) {

    public ApiSettings {
        if (maxBodySize < 1) {
            throw new IllegalArgumentException("maxBodySize: expected 1 or more, found " + maxBodySize);
        }
        if (keepAliveInterval.isNegative()) {
            throw new IllegalArgumentException("keepAliveInterval: expected 0 or more, found " + keepAliveInterval);
        }
    }
}
