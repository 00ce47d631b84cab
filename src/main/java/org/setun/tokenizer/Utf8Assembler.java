package org.setun.tokenizer;

/**
 * Turns bytes into text one by one: the decoder of the WHATWG encoding standard, which replaces each longest beginning of
 * a character that goes no further by one U+FFFD, as Rust's {@code from_utf8_lossy} does. The JDK's own decoder differs
 * for encoded surrogates.
 */
final class Utf8Assembler {

    static final char REPLACEMENT = '\uFFFD';

    private int codePoint;
    /** Bytes that the character begun still needs, 0 between characters. */
    private int missing;
    /** Bytes of the character begun that have been taken. */
    private int taken;

    private int lowest = 0x80;
    private int highest = 0xBF;

    /** Returns how many bytes of an unfinished character are held. */
    int pending() {
        return taken;
    }

    /** Forgets an unfinished character. */
    void reset() {
        missing = 0;
        taken = 0;
        lowest = 0x80;
        highest = 0xBF;
    }

    /**
     * Takes a byte, 0 to 255, and appends what it completes.
     *
     * @return whether the bytes are still the beginning of well-formed UTF-8
     */
    boolean accept(int value, StringBuilder out) {
        if (missing == 0) {
            return begin(value, out);
        }
        if (value < lowest || value > highest) {
            reset();
            out.append(REPLACEMENT);
            begin(value, out);
            return false;
        }
        lowest = 0x80;
        highest = 0xBF;
        codePoint = (codePoint << 6) | (value & 0x3F);
        taken++;
        if (--missing == 0) {
            taken = 0;
            out.appendCodePoint(codePoint);
        }
        return true;
    }

    private boolean begin(int value, StringBuilder out) {
        if (value < 0x80) {
            out.append((char) value);
        } else if (value >= 0xC2 && value <= 0xDF) {
            expect(1, value & 0x1F);
        } else if (value >= 0xE0 && value <= 0xEF) {
            expect(2, value & 0x0F);
            // Neither overlong forms nor surrogates.
            lowest = value == 0xE0 ? 0xA0 : 0x80;
            highest = value == 0xED ? 0x9F : 0xBF;
        } else if (value >= 0xF0 && value <= 0xF4) {
            expect(3, value & 0x07);
            // Neither overlong forms nor anything beyond U+10FFFF.
            lowest = value == 0xF0 ? 0x90 : 0x80;
            highest = value == 0xF4 ? 0x8F : 0xBF;
        } else {
            out.append(REPLACEMENT);
            return false;
        }
        return true;
    }

    private void expect(int more, int bits) {
        missing = more;
        taken = 1;
        codePoint = bits;
    }

    /** Appends what an unfinished character becomes when nothing follows. */
    void finish(StringBuilder out) {
        if (taken > 0) {
            out.append(REPLACEMENT);
        }
        reset();
    }
}
