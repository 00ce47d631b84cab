package org.setun.hub;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a file of weights says: {@code stem.gguf}, or of a model in parts {@code stem-00001-of-00003.gguf}.
 *
 * @param stem the name, with its directory, without number and extension
 * @param number counts from 1
 * @param count the parts; 1 for a model in one file
 * @param extension with its dot
 */
record WeightsFile(String stem, int number, int count, String extension) {

    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5,6})-of-(\\d{5,6})(\\.\\w+)");

    /** Reads the name {@code path} if it has {@code extension}. */
    static Optional<WeightsFile> of(String path, String extension) {
        if (!path.toLowerCase(Locale.ROOT).endsWith(extension)) {
            return Optional.empty();
        }
        Matcher matcher = PART.matcher(path);
        if (matcher.matches()) {
            int number = Integer.parseInt(matcher.group(2));
            int count = Integer.parseInt(matcher.group(3));
            if (number >= 1 && number <= count) {
                return Optional.of(new WeightsFile(matcher.group(1), number, count, matcher.group(4)));
            }
        }
        int dot = path.length() - extension.length();
        return Optional.of(new WeightsFile(path.substring(0, dot), 1, 1, path.substring(dot)));
    }

    /** Tells whether {@code other} is a part of the same model. */
    boolean sameModel(WeightsFile other) {
        return stem.equals(other.stem) && count == other.count;
    }
}
