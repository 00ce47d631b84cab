package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;

/**
 * A float linear's rows are read in tiles that tokens share, and many tokens share their values as floats: a token's bits are those
 * of the plain sum all the same.
 */
final class FloatLinearTest {

    private static final int ROWS = 1000;
    private static final int COLUMNS = 517;

    @ParameterizedTest
    @CsvSource({
        "auto, 1, F32, 5",
        "auto, 3, F32, 5",
        "scalar, 2, F32, 5",
        "auto, 2, F32, 40",
        "auto, 2, F16, 40",
        "auto, 3, BF16, 32",
        "auto, 2, I8, 33",
        "scalar, 1, F16, 40",
        "auto, 2, F16, 31"
    })
    void aTokenGivesTheSameBitsAloneAndAmongOthers(String name, int threads, ElementType type, int tokens) {
        SplittableRandom random = new SplittableRandom(11);
        Kernels kernels = KernelSelection.select(name, threads);
        Kernels scalar = KernelSelection.select("scalar", 1);
        try (Arena arena = Arena.ofShared()) {
            FloatMatrix weights = new FloatMatrix(ROWS, COLUMNS, type, randomValues(type, random, arena));
            float[] x = new float[tokens * COLUMNS];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextDouble(-1, 1);
            }

            float[] together = multiply(weights, x, tokens, kernels);

            for (int token = 0; token < tokens; token++) {
                float[] expected = new float[ROWS];
                scalar.matrices().multiply(weights, x, token * COLUMNS, 0, ROWS, expected, 0);
                for (int row = 0; row < ROWS; row++) {
                    assertThat(together[token * ROWS + row])
                            .as("token %d, row %d", token, row)
                            .isEqualTo(expected[row]);
                }
            }
        } finally {
            kernels.workers().close();
            scalar.workers().close();
        }
    }

    private static MemorySegment randomValues(ElementType type, SplittableRandom random, Arena arena) {
        long count = (long) ROWS * COLUMNS;
        MemorySegment values = arena.allocate(count * type.bytes(), 64);
        for (long i = 0; i < count; i++) {
            float value = (float) random.nextDouble(-1, 1);
            switch (type) {
                case F32 -> values.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
                case F16 -> values.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
                case BF16 ->
                    values.setAtIndex(
                            ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >> Short.SIZE));
                default -> values.set(ValueLayout.JAVA_BYTE, i, (byte) (Byte.MAX_VALUE * value));
            }
        }
        return values;
    }

    private static float[] multiply(FloatMatrix weights, float[] x, int tokens, Kernels kernels) {
        Linear linear = new FloatLinear(weights, null);
        LinearInput input = new LinearInput(tokens, weights.columns());
        linear.prepare(x, tokens, input, kernels);
        float[] out = new float[tokens * weights.rows()];
        linear.multiply(input, new int[tokens * weights.rows()], out, kernels);
        return out;
    }
}
