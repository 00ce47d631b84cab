package org.setun.tokenizer;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Formats a time by the C directives that chat templates use, in English. */
final class Strftime {

    private static final Map<Character, String> PATTERNS = Map.ofEntries(
            Map.entry('a', "EEE"),
            Map.entry('A', "EEEE"),
            Map.entry('b', "MMM"),
            Map.entry('B', "MMMM"),
            Map.entry('d', "dd"),
            Map.entry('H', "HH"),
            Map.entry('I', "hh"),
            Map.entry('j', "DDD"),
            Map.entry('m', "MM"),
            Map.entry('M', "mm"),
            Map.entry('p', "a"),
            Map.entry('S', "ss"),
            Map.entry('y', "yy"),
            Map.entry('Y', "yyyy"),
            Map.entry('F', "yyyy-MM-dd"),
            Map.entry('T', "HH:mm:ss"));

    private Strftime() {}

    /** Returns {@code time} in {@code format}; an unknown directive stays as it is. */
    static String format(String format, LocalDateTime time) {
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char character = format.charAt(i);
            if (character != '%' || i + 1 == format.length()) {
                result.append(character);
                continue;
            }
            char directive = format.charAt(++i);
            @Nullable String pattern = PATTERNS.get(directive);
            if (directive == '%') {
                result.append('%');
            } else if (pattern == null) {
                result.append('%').append(directive);
            } else {
                result.append(
                        DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time));
            }
        }
        return result.toString();
    }
}
