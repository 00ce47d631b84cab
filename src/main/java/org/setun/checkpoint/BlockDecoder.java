package org.setun.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.setun.tensor.ElementType;

/**
 * Decodes a tensor of a block type. Every such type multiplies small integers, here called codes, by a factor that a run
 * of them shares: 16 in Q6_K, a block in the others. Where code and factor lie in a block is what ggml, the library that
 * defined these types, says, and for I2_S bitnet.cpp.
 *
 * <p>Immutable; safe for use by several threads.
 */
final class BlockDecoder {

    /** The code that the two-bit types can store beside the trits. */
    static final int NO_TRIT = 2;

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat SINGLE =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int I2_S_TAIL = 32;
    private static final int I2_S_PLANE = 32;

    private static final int TQ_GROUP = 32;
    private static final int TQ1_0_LONG = 32;
    private static final int TQ1_0_SHORT = 16;
    private static final int TQ1_0_REST = 4;

    private static final int Q6_K_HALF = 128;
    private static final int Q6_K_HIGH = 128;
    private static final int Q6_K_FACTORS = 192;
    private static final int Q6_K_RUN = 16;

    private final StoredTensor tensor;
    private final ElementType type;
    private final MemorySegment bytes;
    private final int run;

    BlockDecoder(StoredTensor tensor) {
        this.tensor = tensor;
        this.type = tensor.type();
        this.bytes = tensor.bytes();
        this.run = type == ElementType.Q6_K ? Q6_K_RUN : type.blockElements();
    }

    /** Decodes {@code count} elements from element {@code first} on to {@code out[offset ..]}. */
    void decode(long first, int count, float[] out, int offset) throws CheckpointFormatException {
        byte[] codes = new byte[count];
        readCodes(first, count, codes, 0);
        if (type == ElementType.I2_S) {
            requireTrits(first, codes, 0, count);
        }
        for (int i = 0; i < count; ) {
            long index = (first + i) / run;
            float factor = factor(index);
            int end = (int) Math.min(count, (index + 1) * run - first);
            for (; i < end; i++) {
                out[offset + i] = factor * codes[i];
            }
        }
    }

    /** Checks codes that were read from element {@code first} on. */
    void requireTrits(long first, byte[] codes, int offset, int count) throws CheckpointFormatException {
        for (int i = 0; i < count; i++) {
            if (codes[offset + i] == NO_TRIT) {
                long element = first + i;
                throw CheckpointFormatException.invalid(
                        tensor.where() + ", row " + element / tensor.columns() + ", column "
                                + element % tensor.columns(),
                        "the " + type + " code there stands for +2, which is no trit",
                        "the file is damaged or its weights are not ternary, get another one");
            }
        }
    }

    /** Returns the factor of run {@code index}: the factor of a block, save in Q6_K. */
    float factor(long index) {
        return switch (type) {
            case Q4_0, Q8_0, Q2_0, Q2_0_G128 -> half(index * type.blockBytes());
            case TQ1_0, TQ2_0 -> half((index + 1) * type.blockBytes() - Short.BYTES);
            case I2_S -> bytes.get(SINGLE, bytes.byteSize() - I2_S_TAIL);
            case Q6_K -> {
                int runs = type.blockElements() / Q6_K_RUN;
                long block = index / runs * type.blockBytes();
                float scale = half(block + type.blockBytes() - Short.BYTES);
                yield scale * bytes.get(BYTE, block + Q6_K_FACTORS + index % runs);
            }
            default -> throw noBlocks();
        };
    }

    /** Reads the codes of {@code count} elements from element {@code first} on to {@code out[offset ..]}. */
    void readCodes(long first, int count, byte[] out, int offset) {
        int blockElements = type.blockElements();
        byte[] partial = new byte[blockElements];
        for (int done = 0; done < count; ) {
            long at = (first + done) / blockElements * type.blockBytes();
            int skipped = (int) ((first + done) % blockElements);
            int taken = Math.min(blockElements - skipped, count - done);
            if (taken == blockElements) {
                readBlock(at, out, offset + done);
            } else {
                readBlock(at, partial, 0);
                System.arraycopy(partial, skipped, out, offset + done, taken);
            }
            done += taken;
        }
    }

    private void readBlock(long at, byte[] out, int offset) {
        switch (type) {
            case Q4_0 -> readQ4(at + Short.BYTES, out, offset);
            case Q8_0 -> MemorySegment.copy(bytes, BYTE, at + Short.BYTES, out, offset, type.blockElements());
            case Q6_K -> readQ6(at, out, offset);
            case TQ1_0 -> readTq1(at, out, offset);
            case TQ2_0 -> readTq2(at, out, offset);
            case I2_S -> readI2(at, out, offset);
            case Q2_0, Q2_0_G128 -> readQ2(at + Short.BYTES, out, offset);
            default -> throw noBlocks();
        }
    }

    private void readQ4(long at, byte[] out, int offset) {
        int half = type.blockElements() / 2;
        for (int j = 0; j < half; j++) {
            int pair = u8(at + j);
            out[offset + j] = (byte) ((pair & 15) - 8);
            out[offset + half + j] = (byte) ((pair >> 4) - 8);
        }
    }

    private void readQ2(long at, byte[] out, int offset) {
        for (int j = 0; j < type.blockElements(); j += 4) {
            int four = u8(at + j / 4);
            for (int k = 0; k < 4; k++) {
                out[offset + j + k] = (byte) (((four >> (2 * k)) & 3) - 1);
            }
        }
    }

    private void readQ6(long at, byte[] out, int offset) {
        for (int half = 0; half < 2; half++) {
            long low = at + half * 64L;
            long high = at + Q6_K_HIGH + half * 32L;
            int first = offset + half * Q6_K_HALF;
            for (int l = 0; l < 32; l++) {
                int left = u8(low + l);
                int right = u8(low + 32 + l);
                int top = u8(high + l);
                out[first + l] = six(left & 15, top);
                out[first + 32 + l] = six(right & 15, top >> 2);
                out[first + 64 + l] = six(left >> 4, top >> 4);
                out[first + 96 + l] = six(right >> 4, top >> 6);
            }
        }
    }

    private static byte six(int low, int high) {
        return (byte) ((low | ((high & 3) << 4)) - 32);
    }

    private void readTq2(long at, byte[] out, int offset) {
        int groups = type.blockElements() / (4 * TQ_GROUP);
        for (int group = 0; group < groups; group++) {
            int first = offset + group * 4 * TQ_GROUP;
            for (int m = 0; m < TQ_GROUP; m++) {
                int four = u8(at + (long) group * TQ_GROUP + m);
                for (int l = 0; l < 4; l++) {
                    out[first + l * TQ_GROUP + m] = (byte) (((four >> (2 * l)) & 3) - 1);
                }
            }
        }
    }

    private void readTq1(long at, byte[] out, int offset) {
        int next = readDigits(at, TQ1_0_LONG, 5, out, offset);
        next = readDigits(at + TQ1_0_LONG, TQ1_0_SHORT, 5, out, next);
        readDigits(at + TQ1_0_LONG + TQ1_0_SHORT, TQ1_0_REST, 4, out, next);
    }

    /** Reads the first digits of {@code count} bytes, then the second ones and so on; returns the offset after them. */
    private int readDigits(long at, int count, int digits, byte[] out, int offset) {
        for (int m = 0; m < count; m++) {
            // A byte is a fraction of 256 whose base-3 digits come off the top one by one.
            int fraction = u8(at + m);
            for (int n = 0; n < digits; n++) {
                out[offset + n * count + m] = (byte) (((fraction * 3) >> 8) - 1);
                fraction = (fraction * 3) & 255;
            }
        }
        return offset + digits * count;
    }

    private void readI2(long at, byte[] out, int offset) {
        for (int p = 0; p < I2_S_PLANE; p++) {
            int four = u8(at + p);
            for (int k = 0; k < 4; k++) {
                out[offset + k * I2_S_PLANE + p] = (byte) (((four >> (6 - 2 * k)) & 3) - 1);
            }
        }
    }

    private float half(long at) {
        return Float.float16ToFloat(bytes.get(HALF, at));
    }

    private int u8(long at) {
        return Byte.toUnsignedInt(bytes.get(BYTE, at));
    }

    private IllegalStateException noBlocks() {
        return new IllegalStateException(type + " is no block type");
    }
}
