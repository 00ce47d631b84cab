package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.ScreenMatrix;

/**
 * Estimates with vectors. A lane is a row; a code that is loaded and widened serves up to four inputs.
 *
 * <p>Instances come from {@link VectorWidth#instance}.
 */
final class VectorScreenKernel implements ScreenKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Float> FLOATS = VectorWidth.species(float.class, BITS);
    private static final int LANES = FLOATS.length();

    /** At least as many bytes as floats fit into a vector; there are no vectors of fewer than 64 bits. */
    private static final VectorSpecies<Byte> BYTES =
            VectorWidth.species(byte.class, Math.max(LANES * Byte.SIZE, Long.SIZE));

    private static final VectorMask<Byte> FIRST_BYTES = BYTES.indexInRange(0, LANES);

    private static final int PANEL_ROWS = ScreenMatrix.PANEL_ROWS;

    /** Inputs that share a widened code. */
    private static final int TILE = 4;

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public void estimate(
            ScreenMatrix matrix, Inputs inputs, int fromPanel, int toPanel, float[] estimates, float[] bounds) {
        float[] sums = new float[TILE * PANEL_ROWS];
        for (int panel = fromPanel; panel < toPanel; panel++) {
            long at = (long) panel * matrix.columns() * PANEL_ROWS;
            int i = 0;
            for (; i + TILE <= inputs.count(); i += TILE) {
                for (int part = 0; part < PANEL_ROWS; part += 2 * LANES) {
                    fourInputs(matrix, at + part, inputs, i, sums, part);
                }
                for (int k = 0; k < TILE; k++) {
                    ScalarScreenKernel.finish(matrix, inputs, i + k, panel, sums, k * PANEL_ROWS, estimates, bounds);
                }
            }
            for (; i < inputs.count(); i++) {
                for (int part = 0; part < PANEL_ROWS; part += 4 * LANES) {
                    oneInput(matrix, at + part, inputs, i, sums, part);
                }
                ScalarScreenKernel.finish(matrix, inputs, i, panel, sums, 0, estimates, bounds);
            }
        }
    }

    private static void oneInput(ScreenMatrix matrix, long at, Inputs inputs, int input, float[] sums, int part) {
        MemorySegment codes = matrix.codes();
        float[] x = inputs.values();
        int from = inputs.from()[input];
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int column = 0; column < matrix.columns(); column++) {
            FloatVector value = FloatVector.broadcast(FLOATS, x[from + column]);
            sum0 = widened(codes, at).fma(value, sum0);
            sum1 = widened(codes, at + LANES).fma(value, sum1);
            sum2 = widened(codes, at + 2L * LANES).fma(value, sum2);
            sum3 = widened(codes, at + 3L * LANES).fma(value, sum3);
            at += PANEL_ROWS;
        }
        sum0.intoArray(sums, part);
        sum1.intoArray(sums, part + LANES);
        sum2.intoArray(sums, part + 2 * LANES);
        sum3.intoArray(sums, part + 3 * LANES);
    }

    private static void fourInputs(ScreenMatrix matrix, long at, Inputs inputs, int input, float[] sums, int part) {
        MemorySegment codes = matrix.codes();
        float[] x = inputs.values();
        int x0 = inputs.from()[input];
        int x1 = inputs.from()[input + 1];
        int x2 = inputs.from()[input + 2];
        int x3 = inputs.from()[input + 3];
        FloatVector sum00 = FloatVector.zero(FLOATS);
        FloatVector sum01 = sum00;
        FloatVector sum10 = sum00;
        FloatVector sum11 = sum00;
        FloatVector sum20 = sum00;
        FloatVector sum21 = sum00;
        FloatVector sum30 = sum00;
        FloatVector sum31 = sum00;
        for (int column = 0; column < matrix.columns(); column++) {
            FloatVector code0 = widened(codes, at);
            FloatVector code1 = widened(codes, at + LANES);
            FloatVector value = FloatVector.broadcast(FLOATS, x[x0 + column]);
            sum00 = code0.fma(value, sum00);
            sum01 = code1.fma(value, sum01);
            value = FloatVector.broadcast(FLOATS, x[x1 + column]);
            sum10 = code0.fma(value, sum10);
            sum11 = code1.fma(value, sum11);
            value = FloatVector.broadcast(FLOATS, x[x2 + column]);
            sum20 = code0.fma(value, sum20);
            sum21 = code1.fma(value, sum21);
            value = FloatVector.broadcast(FLOATS, x[x3 + column]);
            sum30 = code0.fma(value, sum30);
            sum31 = code1.fma(value, sum31);
            at += PANEL_ROWS;
        }
        store(sums, part, sum00, sum01);
        store(sums, part + PANEL_ROWS, sum10, sum11);
        store(sums, part + 2 * PANEL_ROWS, sum20, sum21);
        store(sums, part + 3 * PANEL_ROWS, sum30, sum31);
    }

    private static void store(float[] sums, int at, FloatVector sum0, FloatVector sum1) {
        sum0.intoArray(sums, at);
        sum1.intoArray(sums, at + LANES);
    }

    private static FloatVector widened(MemorySegment from, long at) {
        // The smallest byte vector is longer than a 128-bit one has lanes, and must not read beyond the codes.
        ByteVector bytes = LANES == BYTES.length()
                ? ByteVector.fromMemorySegment(BYTES, from, at, ByteOrder.LITTLE_ENDIAN)
                : ByteVector.fromMemorySegment(BYTES, from, at, ByteOrder.LITTLE_ENDIAN, FIRST_BYTES);
        return (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0);
    }
}
