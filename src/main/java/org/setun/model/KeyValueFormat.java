package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.setun.tensor.ElementType;

/** How attention keeps the keys and values of past tokens. */
public enum KeyValueFormat {
    /** As they were computed. */
    F32(ElementType.F32),
    /** Rounded to half precision: half the memory, and half of what a token reads. */
    F16(ElementType.F16);

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ElementType elementType;

    KeyValueFormat(ElementType elementType) {
        this.elementType = elementType;
    }

    /** Returns how one value is stored. */
    ElementType elementType() {
        return elementType;
    }

    /** Stores {@code length} values of {@code x} from {@code xOffset} at byte {@code at}. */
    void store(float[] x, int xOffset, int length, MemorySegment target, long at) {
        switch (this) {
            case F32 -> MemorySegment.copy(x, xOffset, target, FLOAT, at, length);
            case F16 -> {
                for (int j = 0; j < length; j++) {
                    target.set(SHORT, at + (long) j * Short.BYTES, Float.floatToFloat16(x[xOffset + j]));
                }
            }
        }
    }
}
