package org.setun.tokenizer;

/** Removes a character at the beginning of the text, however the text is cut into pieces. */
final class StripStartSink implements PieceSink {

    private final String content;
    private final PieceSink next;
    private int left;

    StripStartSink(String content, int start, PieceSink next) {
        this.content = content;
        this.left = start;
        this.next = next;
    }

    @Override
    public void piece(String piece) {
        int from = 0;
        while (left > 0 && piece.startsWith(content, from)) {
            from += content.length();
            left--;
        }
        if (from < piece.length()) {
            left = 0;
        }
        next.piece(piece.substring(from));
    }

    @Override
    public void end() {
        next.end();
    }
}
