package org.setun.cli;

import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON as commands print it: for programs, and for people who look on. */
final class PrettyJson {

    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private PrettyJson() {}

    static String write(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
