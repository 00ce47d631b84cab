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

/** A float linear's rows are read in tiles that tokens share: a token's bits are those of the plain sum all the same. */
final class FloatLinearTest {

    private static final int ROWS = 1000;
    private static final int COLUMNS = 517;
    private static final int TOKENS = 5;

    @ParameterizedTest
    @CsvSource({"auto, 1", "auto, 3", "scalar, 2"})
    void aTokenGivesTheSameBitsAloneAndAmongOthers(String name, int threads) {
        SplittableRandom random = new SplittableRandom(11);
        Kernels kernels = KernelSelection.select(name, threads);
        Kernels scalar = KernelSelection.select("scalar", 1);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment values = arena.allocate((long) ROWS * COLUMNS * Float.BYTES, 64);
            for (long i = 0; i < (long) ROWS * COLUMNS; i++) {
                values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
            }
            FloatMatrix weights = new FloatMatrix(ROWS, COLUMNS, ElementType.F32, values);
            float[] x = new float[TOKENS * COLUMNS];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextDouble(-1, 1);
            }

            float[] together = multiply(weights, x, TOKENS, kernels);

            for (int token = 0; token < TOKENS; token++) {
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

    private static float[] multiply(FloatMatrix weights, float[] x, int tokens, Kernels kernels) {
        Linear linear = new FloatLinear(weights, null);
        LinearInput input = new LinearInput(tokens, weights.columns(), PassCounter.off());
        linear.prepare(x, tokens, input, kernels);
        float[] out = new float[tokens * weights.rows()];
        linear.multiply(input, new int[tokens * weights.rows()], out, kernels);
        return out;
    }
}
