package org.setun.architecture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.setun.tensor.ElementType;

/** Encodes float32 values as F32, F16 or BF16, rounding to nearest, halves to even. */
final class FloatEncoder {

    private static final int BF16_SHIFT = 16;
    private static final int BF16_HALF_LESS_ONE = 0x7fff;
    private static final int QUIET_NAN = 0x0040;

    private FloatEncoder() {}

    /** Returns the little-endian bytes of {@code values} in {@code type}. */
    static byte[] encode(float[] values, ElementType type) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, type.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (type) {
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(Float.floatToFloat16(value));
                case BF16 -> bytes.putShort(bfloat16(value));
                default -> throw new IllegalArgumentException("expected F32, F16 or BF16, found " + type);
            }
        }
        return bytes.array();
    }

    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> BF16_SHIFT) | QUIET_NAN);
        }
        int odd = (bits >>> BF16_SHIFT) & 1;
        return (short) ((bits + BF16_HALF_LESS_ONE + odd) >>> BF16_SHIFT);
    }
}
