package org.setun.web;

import java.util.List;
import org.springframework.http.server.reactive.ServerHttpResponse;

/** The header that names fields of a body which mean nothing to this server. */
final class Warnings {

    /** The header's name. */
    static final String HEADER = "x-setun-warning";

    private static final int MAX_WARNINGS = 10;
    private static final int MAX_NAME = 60;

    private Warnings() {}

    /** Adds a header for each of the first unknown fields. */
    static void add(ServerHttpResponse response, List<String> unknownFields) {
        unknownFields.stream()
                .limit(MAX_WARNINGS)
                .forEach(name -> response.getHeaders().add(HEADER, "unknown field '" + printable(name) + "'"));
    }

    // A field's name is the client's: a header must not carry a line break or anything beyond ASCII.
    private static String printable(String name) {
        String start = name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME) + "...";
        return start.replaceAll("[^ -~]", "?");
    }
}
