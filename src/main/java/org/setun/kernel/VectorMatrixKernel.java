package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.FloatMatrix;

/**
 * The products with stored matrices with vectors, bit for bit those of {@link ScalarMatrixKernel}: a loop for each element type,
 * as C2 keeps only small methods free of allocation.
 *
 * <p>Instances come from {@link VectorWidth#instance}.
 */
final class VectorMatrixKernel implements MatrixKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Float> FLOATS = VectorWidth.species(float.class, BITS);
    private static final VectorSpecies<Integer> INTS = VectorWidth.species(int.class, BITS);
    private static final VectorSpecies<Short> SHORTS = VectorWidth.species(short.class, BITS / 2);
    private static final int LANES = FLOATS.length();

    /** At least as many bytes as floats fit into a vector; there are no vectors of fewer than 64 bits. */
    private static final VectorSpecies<Byte> BYTES =
            VectorWidth.species(byte.class, Math.max(LANES * Byte.SIZE, Long.SIZE));

    private static final VectorMask<Byte> FIRST_BYTES = BYTES.indexInRange(0, LANES);

    /** Elements of one step of a sum: four vectors without a dependency among them. */
    private static final int STEP = 4 * LANES;

    private static final int HALF_MAGNITUDE = 0x7fff;
    private static final int HALF_INFINITY = 0x7c00;
    private static final int HALF_SHIFT = 13;
    private static final int INFINITY = 0x7f800000;

    /** What a half's exponent bias of 15 lacks to 127. */
    private static final float HALF_SCALE = 0x1p112f;

    private static final int PARTIAL_SUMS = ScalarFloatKernel.PARTIAL_SUMS;

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public void multiply(
            FloatMatrix matrix, float[] x, int xOffset, int fromRow, int toRow, float[] out, int outOffset) {
        int columns = matrix.columns();
        int bound = columns - columns % PARTIAL_SUMS;
        float[] partials = new float[PARTIAL_SUMS];
        float[] tail = new float[columns - bound];
        for (int r = fromRow; r < toRow; r++) {
            long at = (long) r * columns * matrix.elementType().bytes();
            for (int first = 0; first < PARTIAL_SUMS; first += STEP) {
                addRow(matrix, at, x, xOffset, bound, partials, first);
            }
            if (tail.length > 0) {
                matrix.readRow(r, bound, columns, tail, 0);
                ScalarFloatKernel.addProducts(tail, 0, x, xOffset + bound, 0, tail.length, partials);
            }
            out[outOffset + r] = sum(partials);
        }
    }

    /** Adds the partial sums up as {@link ScalarFloatKernel#sum} does, whole vectors at once as long as a half has any. */
    private static float sum(float[] partials) {
        int half = PARTIAL_SUMS / 2;
        for (; half >= LANES; half /= 2) {
            for (int i = 0; i < half; i += LANES) {
                load(partials, i).add(load(partials, i + half)).intoArray(partials, i);
            }
        }
        for (; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                partials[i] += partials[i + half];
            }
        }
        return partials[0];
    }

    @Override
    public void addWeightedRows(
            FloatMatrix rows,
            int count,
            float[] weights,
            int weightsOffset,
            float[] accumulator,
            int accumulatorOffset) {
        int bound = FLOATS.loopBound(rows.columns());
        for (int j = 0; j < bound; j += LANES) {
            int at = accumulatorOffset + j;
            FloatVector sum = load(accumulator, at);
            sum = switch (rows.elementType()) {
                case F32 -> weightedF32(rows, count, j, weights, weightsOffset, sum);
                case BF16 -> weightedBf16(rows, count, j, weights, weightsOffset, sum);
                case F16 -> weightedF16(rows, count, j, weights, weightsOffset, sum);
                case I8 -> weightedI8(rows, count, j, weights, weightsOffset, sum);
                default -> throw new IllegalStateException("unreachable: " + rows.elementType());
            };
            sum.intoArray(accumulator, at);
        }
        if (bound < rows.columns()) {
            ScalarMatrixKernel.addWeightedRows(
                    rows, count, bound, weights, weightsOffset, accumulator, accumulatorOffset);
        }
    }

    private static FloatVector weightedF32(
            FloatMatrix rows, int count, int column, float[] weights, int weightsOffset, FloatVector sum) {
        long stride = (long) rows.columns() * Float.BYTES;
        long at = (long) column * Float.BYTES;
        for (int r = 0; r < count; r++) {
            sum = f32(rows.segment(), at + r * stride)
                    .fma(FloatVector.broadcast(FLOATS, weights[weightsOffset + r]), sum);
        }
        return sum;
    }

    private static FloatVector weightedBf16(
            FloatMatrix rows, int count, int column, float[] weights, int weightsOffset, FloatVector sum) {
        long stride = (long) rows.columns() * Short.BYTES;
        long at = (long) column * Short.BYTES;
        for (int r = 0; r < count; r++) {
            sum = bf16(rows.segment(), at + r * stride)
                    .fma(FloatVector.broadcast(FLOATS, weights[weightsOffset + r]), sum);
        }
        return sum;
    }

    private static FloatVector weightedF16(
            FloatMatrix rows, int count, int column, float[] weights, int weightsOffset, FloatVector sum) {
        long stride = (long) rows.columns() * Short.BYTES;
        long at = (long) column * Short.BYTES;
        for (int r = 0; r < count; r++) {
            sum = f16(rows.segment(), at + r * stride)
                    .fma(FloatVector.broadcast(FLOATS, weights[weightsOffset + r]), sum);
        }
        return sum;
    }

    private static FloatVector weightedI8(
            FloatMatrix rows, int count, int column, float[] weights, int weightsOffset, FloatVector sum) {
        long stride = rows.columns();
        for (int r = 0; r < count; r++) {
            sum = i8(rows.segment(), column + r * stride)
                    .fma(FloatVector.broadcast(FLOATS, weights[weightsOffset + r]), sum);
        }
        return sum;
    }

    /** Fills the partial sums {@code [first, first + STEP)} of the row that begins at byte {@code at}. */
    private static void addRow(
            FloatMatrix matrix, long at, float[] x, int xOffset, int length, float[] partials, int first) {
        MemorySegment segment = matrix.segment();
        long start = at + (long) first * matrix.elementType().bytes();
        switch (matrix.elementType()) {
            case F32 -> addF32(segment, start, x, xOffset + first, length, partials, first);
            case BF16 -> addBf16(segment, start, x, xOffset + first, length, partials, first);
            case F16 -> {
                addF16(segment, start, x, xOffset + first, length, partials, first);
                addF16(segment, start + STEP, x, xOffset + first + STEP / 2, length, partials, first + STEP / 2);
            }
            case I8 -> addI8(segment, start, x, xOffset + first, length, partials, first);
            default -> throw new IllegalStateException("unreachable: " + matrix.elementType());
        }
    }

    private static void addF32(
            MemorySegment row, long at, float[] x, int offset, int length, float[] partials, int first) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int j = 0; j < length; j += PARTIAL_SUMS) {
            long w = at + (long) j * Float.BYTES;
            sum0 = f32(row, w).fma(load(x, offset + j), sum0);
            sum1 = f32(row, w + BITS / 8).fma(load(x, offset + j + LANES), sum1);
            sum2 = f32(row, w + BITS / 4).fma(load(x, offset + j + 2 * LANES), sum2);
            sum3 = f32(row, w + 3 * BITS / 8).fma(load(x, offset + j + 3 * LANES), sum3);
        }
        store(partials, first, sum0, sum1, sum2, sum3);
    }

    private static void addBf16(
            MemorySegment row, long at, float[] x, int offset, int length, float[] partials, int first) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int j = 0; j < length; j += PARTIAL_SUMS) {
            long w = at + (long) j * Short.BYTES;
            sum0 = bf16(row, w).fma(load(x, offset + j), sum0);
            sum1 = bf16(row, w + BITS / 16).fma(load(x, offset + j + LANES), sum1);
            sum2 = bf16(row, w + BITS / 8).fma(load(x, offset + j + 2 * LANES), sum2);
            sum3 = bf16(row, w + 3 * BITS / 16).fma(load(x, offset + j + 3 * LANES), sum3);
        }
        store(partials, first, sum0, sum1, sum2, sum3);
    }

    /** Half a step at a time: with four of these loads in a loop the compiler gives up inlining, and makes objects of vectors. */
    private static void addF16(
            MemorySegment row, long at, float[] x, int offset, int length, float[] partials, int first) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        for (int j = 0; j < length; j += PARTIAL_SUMS) {
            long w = at + (long) j * Short.BYTES;
            sum0 = f16(row, w).fma(load(x, offset + j), sum0);
            sum1 = f16(row, w + BITS / 16).fma(load(x, offset + j + LANES), sum1);
        }
        sum0.intoArray(partials, first);
        sum1.intoArray(partials, first + LANES);
    }

    private static void addI8(
            MemorySegment row, long at, float[] x, int offset, int length, float[] partials, int first) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int j = 0; j < length; j += PARTIAL_SUMS) {
            sum0 = i8(row, at + j).fma(load(x, offset + j), sum0);
            sum1 = i8(row, at + j + LANES).fma(load(x, offset + j + LANES), sum1);
            sum2 = i8(row, at + j + 2L * LANES).fma(load(x, offset + j + 2 * LANES), sum2);
            sum3 = i8(row, at + j + 3L * LANES).fma(load(x, offset + j + 3 * LANES), sum3);
        }
        store(partials, first, sum0, sum1, sum2, sum3);
    }

    private static FloatVector load(float[] x, int at) {
        return FloatVector.fromArray(FLOATS, x, at);
    }

    private static void store(
            float[] partials, int first, FloatVector sum0, FloatVector sum1, FloatVector sum2, FloatVector sum3) {
        sum0.intoArray(partials, first);
        sum1.intoArray(partials, first + LANES);
        sum2.intoArray(partials, first + 2 * LANES);
        sum3.intoArray(partials, first + 3 * LANES);
    }

    private static FloatVector f32(MemorySegment from, long at) {
        return FloatVector.fromMemorySegment(FLOATS, from, at, ByteOrder.LITTLE_ENDIAN);
    }

    private static FloatVector i8(MemorySegment from, long at) {
        // The smallest byte vector is longer than a 128-bit one has lanes, and must not read beyond the row.
        ByteVector bytes = LANES == BYTES.length()
                ? ByteVector.fromMemorySegment(BYTES, from, at, ByteOrder.LITTLE_ENDIAN)
                : ByteVector.fromMemorySegment(BYTES, from, at, ByteOrder.LITTLE_ENDIAN, FIRST_BYTES);
        return (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0);
    }

    private static IntVector sixteenBits(MemorySegment from, long at) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, from, at, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, INTS, 0);
    }

    private static FloatVector bf16(MemorySegment from, long at) {
        return sixteenBits(from, at).lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats();
    }

    /** Widens halves: their exponents are raised by a multiplication, which is exact and normalises subnormal numbers. */
    private static FloatVector f16(MemorySegment from, long at) {
        IntVector half = sixteenBits(from, at);
        IntVector magnitude = half.and(HALF_MAGNITUDE);
        IntVector shifted = magnitude.lanewise(VectorOperators.LSHL, HALF_SHIFT);
        IntVector finite = shifted.reinterpretAsFloats().mul(HALF_SCALE).reinterpretAsInts();
        IntVector widened = finite.blend(shifted.or(INFINITY), magnitude.compare(VectorOperators.GE, HALF_INFINITY));
        return widened.or(half.and(Integer.MIN_VALUE)).reinterpretAsFloats();
    }
}
