package org.setun.tensor;

/** Element types of stored tensors, named as in safetensors headers. */
public enum ElementType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    BOOL(1),
    F8_E4M3(1),
    F8_E5M2(1);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** Returns the size of one element in bytes. */
    public int bytes() {
        return bytes;
    }

    /** Returns whether values of this type are weights that {@link FloatMatrix} can read: F32, F16 or BF16. */
    public boolean isFloatWeight() {
        return this == F32 || this == F16 || this == BF16;
    }
}
