package org.setun.cli.chat;

/**
 * How a turn is typed in several lines. A line that ends in a backslash goes on in the next; a turn that begins with three
 * quotation marks ends with three at the end of a line, and is taken as it is in between.
 */
final class TurnText {

    private static final String QUOTES = "\"\"\"";
    private static final String CONTINUED = "\\\n";

    private TurnText() {}

    /** Tells whether a turn ends with these lines, which {@code \n} separates, or another has to come. */
    static boolean isComplete(String typed) {
        return isBlock(typed) ? isClosed(typed.strip()) : !typed.endsWith("\\");
    }

    /** Returns what is meant by {@code typed}: without quotation marks and backslashes that only join its lines. */
    static String content(String typed) {
        if (!isBlock(typed)) {
            String joined = typed.replace(CONTINUED, "\n");
            // The input ended where another line was announced.
            return joined.endsWith("\\") ? joined.substring(0, joined.length() - 1) : joined;
        }
        String block = typed.strip();
        String inner = isClosed(block)
                ? block.substring(QUOTES.length(), block.length() - QUOTES.length())
                : block.substring(QUOTES.length());
        int start = inner.startsWith("\n") ? 1 : 0;
        int end = inner.length() > start && inner.endsWith("\n") ? inner.length() - 1 : inner.length();
        return inner.substring(start, end);
    }

    /** Tells whether a turn is quoted, and so never a command. */
    static boolean isBlock(String typed) {
        return typed.stripLeading().startsWith(QUOTES);
    }

    private static boolean isClosed(String block) {
        return block.length() >= 2 * QUOTES.length() && block.endsWith(QUOTES);
    }
}
