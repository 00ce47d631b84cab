package org.setun.checkpoint;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a part of a model that is cut into several GGUF files: {@code stem-00001-of-00003.gguf}.
 *
 * @param number counts from 1
 */
record GgufParts(String stem, int number, int count) {

    private static final Pattern NAME = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

    /** Returns what the name of {@code path} says, if it is that of a part. */
    static Optional<GgufParts> of(Path path) {
        Matcher matcher = NAME.matcher(String.valueOf(path.getFileName()));
        if (!matcher.matches()) {
            return Optional.empty();
        }
        int number = Integer.parseInt(matcher.group(2));
        int count = Integer.parseInt(matcher.group(3));
        return number >= 1 && number <= count
                ? Optional.of(new GgufParts(matcher.group(1), number, count))
                : Optional.empty();
    }

    /** Returns the file name of another part. */
    String name(int part) {
        return String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", stem, part, count);
    }
}
