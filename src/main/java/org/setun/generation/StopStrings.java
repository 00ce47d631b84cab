package org.setun.generation;

import java.util.List;

/**
 * Watches a text that arrives in pieces for the first stop string, and holds back what may be the beginning of one.
 *
 * <p>The stop string that is complete first counts; of several that are complete at the same character, the longest. So how
 * the text is cut into pieces cannot change where it ends. For one thread at a time.
 */
final class StopStrings {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    /** Creates a watch for {@code stops}, none of them empty. */
    StopStrings(List<String> stops) {
        this.stops = stops;
    }

    /** Takes more text and returns what certainly belongs to the answer; nothing once a stop string has been found. */
    String append(String text) {
        if (found) {
            return "";
        }
        int firstNew = held.length();
        held.append(text);
        for (int end = firstNew + 1; end <= held.length(); end++) {
            int match = longestStopEndingAt(end);
            if (match > 0) {
                found = true;
                return take(end - match);
            }
        }
        return take(held.length() - longestBeginningAtEnd());
    }

    /** Returns whether a stop string has been found: the answer is complete. */
    boolean found() {
        return found;
    }

    /** Returns what was held back, once no more text will come; nothing if a stop string has been found. */
    String flush() {
        return found ? "" : take(held.length());
    }

    private int longestStopEndingAt(int end) {
        int longest = 0;
        for (String stop : stops) {
            if (stop.length() > longest && heldContains(stop, stop.length(), end - stop.length())) {
                longest = stop.length();
            }
        }
        return longest;
    }

    /** Returns the length of the longest end of the held text that begins a stop string without completing it. */
    private int longestBeginningAtEnd() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (heldContains(stop, length, held.length() - length)) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    /** Returns whether the first {@code length} characters of {@code stop} stand at {@code at}. */
    private boolean heldContains(String stop, int length, int at) {
        if (at < 0) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (held.charAt(at + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String take(int length) {
        String taken = held.substring(0, length);
        held.delete(0, length);
        return taken;
    }
}
