package org.setun.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Eight trits at a time, in the eight bytes of a long, the first in the lowest: a checkpoint's trits are gone through once when they are
 * loaded, and byte by byte that would take most of the time.
 */
final class TritWords {

    /** Trits of a word. */
    static final int TRITS = Long.BYTES;

    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    /** The codes of eight zeros. */
    static final long ZEROS = 0x0101_0101_0101_0101L;

    private static final long SIGNS = 0x8080_8080_8080_8080L;
    private static final long ABOVE_TWO_BITS = 0xfcfc_fcfc_fcfc_fcfcL;

    private TritWords() {}

    /**
     * Returns {@code t + 1} of the trits {@code trits[at .. at + count)}, and 1, a zero's code, of those up to the eighth. Of bytes that are no
     * trits {@link Counts#anyInvalid} tells.
     */
    static long codes(byte[] trits, int at, int count) {
        long within = -1L >>> (Byte.SIZE * (TRITS - count));
        // Without the sign bits no byte carries into the next but 127.
        long codes = (((long) WORD.get(trits, at) ^ SIGNS) + ZEROS) ^ SIGNS;
        return (codes & within) | (ZEROS & ~within);
    }

    /** Returns {@code t_0 + 3 t_1 + 9 t_2 + 27 t_3 + 81 t_4} of the first five trits. */
    static int base3(long codes) {
        // One product sums 3^k (t_k + 1) in its fifth byte. No byte below it exceeds 242, and so none carries.
        return (int) (((codes * 0x0103_091b_51L) >>> Integer.SIZE) & 0xff) - 121;
    }

    /** Returns the eight codes in two bits each, the first in the lowest. */
    static short packed(long codes) {
        long pairs = (codes | (codes >>> 6)) & 0x000f_000f_000f_000fL;
        long quads = (pairs | (pairs >>> 12)) & 0x0000_00ff_0000_00ffL;
        return (short) (quads | (quads >>> 24));
    }

    /** What many words hold. For one thread. */
    static final class Counts {

        private long invalid;
        private long nonZeros;
        private long negatives;

        /** Adds a word's codes. */
        void add(long codes) {
            long zero = codes & ZEROS;
            long negative = ~(codes | (codes >>> 1)) & ZEROS;
            invalid |= (codes & ABOVE_TWO_BITS) | (codes & (codes >>> 1) & ZEROS);
            nonZeros += TRITS - Long.bitCount(zero);
            negatives += Long.bitCount(negative);
        }

        /** Returns whether a code was neither 0, 1 nor 2; then the numbers mean nothing. */
        boolean anyInvalid() {
            return invalid != 0;
        }

        /** Returns how many trits were 1 or -1. */
        long nonZeros() {
            return nonZeros;
        }

        /** Returns how many trits were -1. */
        long negatives() {
            return negatives;
        }
    }
}
