package org.setun.tokenizer;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the small JSON files beside a tokenizer. */
final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    /** Returns the object in a file, or empty if there is no such file. */
    static Optional<JsonNode> readObject(Path file) throws TokenizerFormatException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode node = MAPPER.readTree(file);
            if (!node.isObject()) {
                throw new TokenizerFormatException(
                        file, "expected a JSON object, found " + node.getNodeType(), "repair or remove the file");
            }
            return Optional.of(node);
        } catch (JacksonException e) {
            throw new TokenizerFormatException(
                    file, "expected JSON, found " + describe(e), "repair or remove the file", e);
        }
    }

    /** Returns what is wrong and where, in one line. */
    static String describe(JacksonException e) {
        if (e.getCause() instanceof NoSuchFileException) {
            return "no such file";
        }
        String where = e.getLocation() == null
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
        return e.getOriginalMessage().lines().findFirst().orElse("an error") + where;
    }
}
