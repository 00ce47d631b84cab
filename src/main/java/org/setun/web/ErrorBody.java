package org.setun.web;

import org.jspecify.annotations.Nullable;

/**
 * OpenAI's error object.
 *
 * @param error what went wrong
 */
record ErrorBody(Detail error) {

    /**
     * What went wrong.
     *
     * @param message a sentence for a person
     * @param type the kind: {@code invalid_request_error}, {@code rate_limit_error} or {@code server_error}
     * @param param the field at fault, if it is one field's
     * @param code the machine-readable reason
     */
    record Detail(String message, String type, @Nullable String param, String code) {}

    static ErrorBody of(String message, String type, @Nullable String param, String code) {
        return new ErrorBody(new Detail(message, type, param, code));
    }
}
