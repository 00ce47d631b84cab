package org.setun.hub;

/**
 * Says why a model could not be fetched. The message is one sentence for the person who asked for it: where, what was
 * expected, what was found, and what to do. It never holds an access token or a signed address.
 */
public final class HubException extends Exception {

    private static final long serialVersionUID = 1L;
    private static final int LONGEST_QUOTE = 200;

    /** Creates an exception with a whole sentence as its message. */
    HubException(String message) {
        super(message);
    }

    /** Creates an exception with a whole sentence as its message, and what led to it as its cause. */
    HubException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * Returns the exception {@code where: expected …, found …; remedy}.
     *
     * @param where the file, the address or the setting
     */
    static HubException mismatch(String where, Object expected, Object found, String remedy) {
        return new HubException(where + ": expected " + expected + ", found " + found + "; " + remedy);
    }

    /** Returns {@code text} as it may stand in a message, since what a hub sends can be anything. */
    static String printable(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints()
                .limit(LONGEST_QUOTE)
                .forEach(codePoint -> out.appendCodePoint(isPrintable(codePoint) ? codePoint : '?'));
        if (text.codePointCount(0, text.length()) > LONGEST_QUOTE) {
            out.append('…');
        }
        return out.toString();
    }

    /** Tells whether a character shows as itself: no control, no direction mark, no half of a pair. */
    static boolean isPrintable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
