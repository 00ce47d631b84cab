package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loads of stored elements as vectors of float32, exactly, from little-endian memory at any alignment. The species are those of the
 * caller, whose constants they must be: see {@link VectorWidth}.
 */
final class VectorLoads {

    private static final int HALF_MAGNITUDE = 0x7fff;
    private static final int HALF_INFINITY = 0x7c00;
    private static final int HALF_SHIFT = 13;
    private static final int INFINITY = 0x7f800000;

    /** What a half's exponent bias of 15 lacks to 127. */
    private static final float HALF_SCALE = 0x1p112f;

    private VectorLoads() {}

    /** Returns the species of at least as many bytes as there are lanes; there are no vectors of fewer than 64 bits. */
    static VectorSpecies<Byte> bytes(VectorSpecies<Float> floats) {
        return VectorWidth.species(byte.class, Math.max(floats.length() * Byte.SIZE, Long.SIZE));
    }

    static FloatVector f32(VectorSpecies<Float> floats, MemorySegment from, long at) {
        return FloatVector.fromMemorySegment(floats, from, at, ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Loads int8.
     *
     * @param bytes {@link #bytes} of {@code floats}
     * @param lanes as many of the first of them as there are floats: the others may lie beyond the memory
     */
    static FloatVector i8(
            VectorSpecies<Byte> bytes,
            VectorMask<Byte> lanes,
            VectorSpecies<Float> floats,
            MemorySegment from,
            long at) {
        ByteVector codes = floats.length() == bytes.length()
                ? ByteVector.fromMemorySegment(bytes, from, at, ByteOrder.LITTLE_ENDIAN)
                : ByteVector.fromMemorySegment(bytes, from, at, ByteOrder.LITTLE_ENDIAN, lanes);
        return (FloatVector) codes.convertShape(VectorOperators.B2F, floats, 0);
    }

    private static IntVector sixteenBits(
            VectorSpecies<Short> shorts, VectorSpecies<Integer> ints, MemorySegment from, long at) {
        return (IntVector) ShortVector.fromMemorySegment(shorts, from, at, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, ints, 0);
    }

    static FloatVector bf16(VectorSpecies<Short> shorts, VectorSpecies<Integer> ints, MemorySegment from, long at) {
        return sixteenBits(shorts, ints, from, at)
                .lanewise(VectorOperators.LSHL, Short.SIZE)
                .reinterpretAsFloats();
    }

    /** Widens halves: their exponents are raised by a multiplication, which is exact and normalises subnormal numbers. */
    static FloatVector f16(VectorSpecies<Short> shorts, VectorSpecies<Integer> ints, MemorySegment from, long at) {
        IntVector half = sixteenBits(shorts, ints, from, at);
        IntVector magnitude = half.and(HALF_MAGNITUDE);
        IntVector shifted = magnitude.lanewise(VectorOperators.LSHL, HALF_SHIFT);
        IntVector finite = shifted.reinterpretAsFloats().mul(HALF_SCALE).reinterpretAsInts();
        IntVector widened = finite.blend(shifted.or(INFINITY), magnitude.compare(VectorOperators.GE, HALF_INFINITY));
        return widened.or(half.and(Integer.MIN_VALUE)).reinterpretAsFloats();
    }
}
