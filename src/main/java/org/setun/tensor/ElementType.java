package org.setun.tensor;

/**
 * Element types of stored tensors: the plain ones, named as in safetensors headers, and the block types of GGUF files,
 * named as there, in which a run of values along the last dimension shares one or more factors.
 */
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
    F8_E5M2(1),

    /** Four-bit integers, a half-precision factor for each block. */
    Q4_0(32, 18, 0),

    /** Eight-bit integers, a half-precision factor for each block. */
    Q8_0(32, 34, 0),

    /** Six-bit integers, an eight-bit factor for each 16 of them, a half-precision one for each block. */
    Q6_K(256, 210, 0),

    /** Trits, five or four to a byte, a half-precision factor for each block. */
    TQ1_0(256, 54, 0),

    /** Two-bit integers -1 to 2, a half-precision factor for each block. */
    TQ2_0(256, 66, 0),

    /** Trits, four to a byte, one single-precision factor after the last block. */
    I2_S(128, 32, 32),

    /** Two-bit integers -1 to 2, a half-precision factor for each block. */
    Q2_0(64, 18, 0),

    /** As {@link #Q2_0}, in blocks of 128. */
    Q2_0_G128(128, 34, 0);

    private final int blockElements;
    private final int blockBytes;
    private final int tailBytes;

    ElementType(int bytes) {
        this(1, bytes, 0);
    }

    ElementType(int blockElements, int blockBytes, int tailBytes) {
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
        this.tailBytes = tailBytes;
    }

    /**
     * Returns the size of one element in bytes.
     *
     * @throws UnsupportedOperationException if this is a block type, whose elements have no bytes of their own
     */
    public int bytes() {
        if (isBlock()) {
            throw new UnsupportedOperationException("an element of " + this + " has no bytes of its own");
        }
        return blockBytes;
    }

    /** Returns whether elements are stored in blocks of several. */
    public boolean isBlock() {
        return blockElements > 1;
    }

    /** Returns how many elements a block has: 1 for a plain type. */
    public int blockElements() {
        return blockElements;
    }

    /** Returns the size of a block in bytes; for a plain type that of an element. */
    public int blockBytes() {
        return blockBytes;
    }

    /**
     * Returns the bytes that a tensor of {@code elements} elements takes.
     *
     * @throws IllegalArgumentException if the elements are not a whole number of blocks
     * @throws ArithmeticException if the size does not fit into a {@code long}
     */
    public long storedBytes(long elements) {
        if (elements % blockElements != 0) {
            throw new IllegalArgumentException(
                    elements + " elements are not a whole number of " + this + " blocks of " + blockElements);
        }
        return Math.addExact(Math.multiplyExact(elements / blockElements, blockBytes), tailBytes);
    }

    /** Returns whether values of this type are weights that {@link FloatMatrix} can read: F32, F16 or BF16. */
    public boolean isFloatWeight() {
        return this == F32 || this == F16 || this == BF16;
    }
}
