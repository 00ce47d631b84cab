package org.setun.checkpoint;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Bytes of four two-bit codes, decoded eight bytes at a time: a checkpoint has billions of them, and they are gone through whenever it is loaded.
 */
final class TwoBitFields {

    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final int BITS = 2;
    private static final int MASK = 3;
    private static final long ONES = 0x0101_0101_0101_0101L;
    private static final long MASKS = 0x0303_0303_0303_0303L;
    private static final long SIGNS = 0x8080_8080_8080_8080L;

    private TwoBitFields() {}

    /**
     * Replaces each byte of {@code bytes[offset .. offset + count)} by its field's code less one.
     *
     * @param field 0 for the two lowest bits, up to 3 for the highest
     * @return whether no code was 3, which stands for no trit
     */
    static boolean decode(byte[] bytes, int offset, int count, int field) {
        int shift = BITS * field;
        int at = offset;
        long invalid = 0;
        for (; at <= offset + count - Long.BYTES; at += Long.BYTES) {
            long codes = ((long) WORD.get(bytes, at) >>> shift) & MASKS;
            invalid |= codes & (codes >>> 1);
            // With the sign bits set no byte borrows from the next.
            WORD.set(bytes, at, ((codes | SIGNS) - ONES) ^ SIGNS);
        }
        for (; at < offset + count; at++) {
            int code = (bytes[at] >>> shift) & MASK;
            invalid |= code & (code >>> 1);
            bytes[at] = (byte) (code - 1);
        }
        return (invalid & ONES) == 0;
    }
}
