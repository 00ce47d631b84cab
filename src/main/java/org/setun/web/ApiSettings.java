package org.setun.web;

/**
 * The limits of the API.
 *
 * @param maxBodySize how many bytes a request's body may have, at least 1
 */
public record ApiSettings(int maxBodySize) {

    public ApiSettings {
        if (maxBodySize < 1) {
            throw new IllegalArgumentException("maxBodySize: expected 1 or more, found " + maxBodySize);
        }
    }
}
