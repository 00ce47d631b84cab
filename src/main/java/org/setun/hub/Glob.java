package org.setun.hub;

import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A pattern of file names as the Hugging Face tools have it, which is Python's {@code fnmatch}: {@code *} and {@code ?}
 * also match a slash, {@code [a-c]} and {@code [!a-c]} are sets, and {@code directory/} stands for all that lies in it.
 */
final class Glob {

    private final Pattern pattern;

    private Glob(Pattern pattern) {
        this.pattern = pattern;
    }

    /**
     * Compiles a pattern.
     *
     * @throws IllegalArgumentException if a set in it is not possible
     */
    static Glob of(String text) {
        String glob = text.endsWith("/") ? text + "*" : text;
        StringBuilder regex = new StringBuilder();
        int index = 0;
        while (index < glob.length()) {
            char c = glob.charAt(index);
            int end = c == '[' ? glob.indexOf(']', index + (glob.startsWith("[!", index) ? 3 : 2)) : -1;
            if (c == '*') {
                regex.append(".*");
            } else if (c == '?') {
                regex.append('.');
            } else if (end >= 0) {
                boolean negated = glob.charAt(index + 1) == '!';
                String set = glob.substring(index + (negated ? 2 : 1), end).replaceAll("([\\\\\\[\\]&^])", "\\\\$1");
                regex.append(negated ? "[^" : "[").append(set).append(']');
                index = end;
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
            index++;
        }
        try {
            return new Glob(Pattern.compile(regex.toString(), Pattern.DOTALL));
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException("expected a pattern such as *.json, found " + text, e);
        }
    }

    /** Tells whether {@code path} matches. */
    boolean matches(String path) {
        return pattern.matcher(path).matches();
    }

    /** Tells whether {@code path} matches one of {@code globs}. */
    static boolean anyMatches(List<Glob> globs, String path) {
        return globs.stream().anyMatch(glob -> glob.matches(path));
    }
}
