package org.setun.checkpoint;

/**
 * Says that a checkpoint's bytes are not what they have to be. The message is one sentence for the person who owns the
 * file: where, what was expected, what was found, and what to do, as in
 * {@code model.safetensors: tensor blk.3.weight: expected [2048, 5632], found [2048, 5461]; download the file again}.
 */
public final class CheckpointFormatException extends Exception {

    private static final long serialVersionUID = 1L;
    private static final int LONGEST_QUOTE = 120;

    /** Creates an exception with a whole sentence as its message. */
    public CheckpointFormatException(String message) {
        super(message);
    }

    /** Creates an exception with a whole sentence as its message, and the parser's complaint as its cause. */
    public CheckpointFormatException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * Returns the exception {@code where: expected …, found …; remedy}.
     *
     * @param where the file, and the tensor or field in it
     */
    public static CheckpointFormatException mismatch(String where, Object expected, Object found, String remedy) {
        return new CheckpointFormatException(where + ": expected " + expected + ", found " + found + "; " + remedy);
    }

    /**
     * Returns the exception {@code where: problem; remedy}, for faults that have no pair of values.
     *
     * @param where the file, and the tensor or field in it
     */
    public static CheckpointFormatException invalid(String where, String problem, String remedy) {
        return new CheckpointFormatException(where + ": " + problem + "; " + remedy);
    }

    /**
     * Returns {@code text} as it may stand in a message: control characters replaced and cut to a readable length,
     * because a name in a broken file can be anything.
     */
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

    private static boolean isPrintable(int codePoint) {
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
