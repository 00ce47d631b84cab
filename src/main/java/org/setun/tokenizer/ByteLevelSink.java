package org.setun.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Turns the characters of GPT-2's byte alphabet into bytes and those into text, holding back unfinished characters. */
final class ByteLevelSink implements PieceSink {

    /** The byte of each character of the alphabet, -1 for all others. */
    private static final short[] BYTES = alphabet();

    private final Utf8Assembler assembler = new Utf8Assembler();
    private final StringBuilder text = new StringBuilder();
    private final PieceSink next;

    ByteLevelSink(PieceSink next) {
        this.next = next;
    }

    /** GPT-2's {@code bytes_to_unicode}: visible Latin-1 characters stand for themselves, the others follow U+0100. */
    private static short[] alphabet() {
        short[] bytes = new short[0x144];
        Arrays.fill(bytes, (short) -1);
        int other = 0x100;
        for (int value = 0; value < 256; value++) {
            boolean visible = (value >= '!' && value <= '~') || (value >= 0xA1 && value != 0xAD);
            bytes[visible ? value : other++] = (short) value;
        }
        return bytes;
    }

    @Override
    public void piece(String piece) {
        for (byte value : bytes(piece)) {
            assembler.accept(Byte.toUnsignedInt(value), text);
        }
        drain();
    }

    /** Returns the bytes that a token stands for. */
    static byte[] bytes(String piece) {
        if (!isInAlphabet(piece)) {
            // An added token that is written as it reads.
            return piece.getBytes(StandardCharsets.UTF_8);
        }
        byte[] bytes = new byte[piece.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) BYTES[piece.charAt(i)];
        }
        return bytes;
    }

    private static boolean isInAlphabet(String piece) {
        for (int i = 0; i < piece.length(); i++) {
            char character = piece.charAt(i);
            if (character >= BYTES.length || BYTES[character] < 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void end() {
        assembler.finish(text);
        drain();
        next.end();
    }

    private void drain() {
        if (!text.isEmpty()) {
            next.piece(text.toString());
            text.setLength(0);
        }
    }
}
