package org.setun.web;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads {@code setun.server.api-key-file}: a {@code name:key} a line; lines that are empty or begin with # say nothing. */
final class ApiKeyFile {

    private static final long MAX_SIZE = 1 << 20;

    /**
     * A line with a key.
     *
     * @param place the file and the line, for messages
     * @param name what stands before the first colon
     * @param key what stands after it
     */
    record Line(String place, String name, String key) {}

    private ApiKeyFile() {}

    /**
     * Returns the lines that have keys, at least one: an empty file would leave the API open to all.
     *
     * @throws InvalidSettingException if there is none, or the file cannot be read or has a line of another kind
     */
    static List<Line> read(Path file) {
        List<Line> lines = new ArrayList<>();
        int number = 0;
        for (String text : content(file)) {
            number++;
            String line = text.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String place = file + ", line " + number;
            int colon = line.indexOf(':');
            if (colon < 0) {
                throw new InvalidSettingException(place + ": expected name:key or name:sha256:hash, found no ':'");
            }
            lines.add(new Line(
                    place,
                    line.substring(0, colon).strip(),
                    line.substring(colon + 1).strip()));
        }
        if (lines.isEmpty()) {
            throw new InvalidSettingException(
                    file + ": expected at least one line with name:key or name:sha256:hash, found none");
        }
        return lines;
    }

    private static List<String> content(Path file) {
        try {
            if (Files.size(file) > MAX_SIZE) {
                throw new InvalidSettingException(file + ": expected a list of keys of at most " + MAX_SIZE
                        + " bytes, found " + Files.size(file));
            }
            return Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new InvalidSettingException(file + ": expected text in UTF-8, found other bytes", e);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    "setun.server.api-key-file: expected a file that can be read, found " + e, e);
        }
    }
}
