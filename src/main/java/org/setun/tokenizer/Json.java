package org.setun.tokenizer;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the small JSON files beside a tokenizer. */
final class Json {

    private static final int LONGEST_QUOTE = 60;

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    /** Returns the object in a file, or empty if there is no such file. */
    static Optional<JsonNode> readObject(Path file) throws TokenizerFormatException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        return Optional.of(read(file, () -> MAPPER.readTree(file)));
    }

    /** Returns the object in a document that was made from {@code source}. */
    static JsonNode readObject(Path source, byte[] document) throws TokenizerFormatException {
        return read(source, () -> MAPPER.readTree(document));
    }

    private static JsonNode read(Path file, Supplier<JsonNode> reader) throws TokenizerFormatException {
        try {
            JsonNode node = reader.get();
            if (!node.isObject()) {
                throw new TokenizerFormatException(
                        file, "expected a JSON object, found " + node.getNodeType(), "repair or remove the file");
            }
            return node;
        } catch (JacksonException e) {
            throw new TokenizerFormatException(
                    file, "expected JSON, found " + describe(e), "repair or remove the file", e);
        }
    }

    /** Returns foreign text as it may stand in a message: in quotes, on one line, and cut to a readable length. */
    static String quote(String text) {
        StringBuilder out = new StringBuilder("'");
        text.codePoints()
                .limit(LONGEST_QUOTE)
                .forEach(c -> out.appendCodePoint(
                        Character.isISOControl(c) || !Character.isDefined(c) || isSurrogate(c) ? '?' : c));
        return out.append(text.codePointCount(0, text.length()) > LONGEST_QUOTE ? "…'" : "'")
                .toString();
    }

    private static boolean isSurrogate(int codePoint) {
        return Character.getType(codePoint) == Character.SURROGATE;
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
