package org.setun.tokenizer;

/**
 * Joins runs of byte tokens to characters. As in Hugging Face's library a run that is not UTF-8 becomes U+FFFD for each of
 * its bytes, so that the ASCII characters of a run wait for its end or for a longer character. A longer character is sent
 * when its last byte is there; the library, which sees the whole text, would still replace it if a later byte of the same
 * run were wrong.
 */
final class ByteFallbackSink implements PieceSink {

    private final Utf8Assembler assembler = new Utf8Assembler();
    /** The characters of the run that are complete and not sent. */
    private final StringBuilder waiting = new StringBuilder();

    private final PieceSink next;
    private boolean broken;

    ByteFallbackSink(PieceSink next) {
        this.next = next;
    }

    @Override
    public void piece(String piece) {
        int value = byteValue(piece);
        if (value < 0) {
            finishRun();
            next.piece(piece);
        } else {
            append(value);
        }
    }

    private void append(int value) {
        // Only ASCII waits, so that its characters are its bytes.
        int unsent = waiting.length() + assembler.pending() + 1;
        if (broken || !assembler.accept(value, waiting)) {
            broken = true;
            replace(unsent);
        } else if (value >= 0x80 && assembler.pending() == 0) {
            send();
        }
    }

    private void finishRun() {
        if (assembler.pending() > 0) {
            replace(waiting.length() + assembler.pending());
        } else if (!waiting.isEmpty()) {
            send();
        }
        broken = false;
    }

    /** Sends replacement characters instead of all bytes that have not been sent. */
    private void replace(int bytes) {
        assembler.reset();
        waiting.setLength(0);
        next.piece(String.valueOf(Utf8Assembler.REPLACEMENT).repeat(bytes));
    }

    private void send() {
        next.piece(waiting.toString());
        waiting.setLength(0);
    }

    @Override
    public void end() {
        finishRun();
        next.end();
    }

    /** Returns the byte of a token like {@code <0xE4>}, or -1 for any other token. */
    static int byteValue(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : (high << 4) | low;
    }
}
