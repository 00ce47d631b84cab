package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

final class BlockScaledLinearTest {

    private final SplittableRandom random = new SplittableRandom(17);

    @ParameterizedTest
    @CsvSource({"1,64,1,1", "33,64,3,1", "96,128,5,4", "257,256,2,9"})
    void addsTheScaledProductsOfAllRuns(int rows, int runColumns, int runs, int tokens) {
        byte[][] trits = trits(rows, runs * runColumns);
        float[] scales = floats(runs * rows);
        float[] x = floats(tokens * runs * runColumns);
        float[] scalar = multiply(trits, runs, scales, x, tokens, "scalar", 1);

        for (int token = 0; token < tokens; token++) {
            float s = 127 / absmax(x, token * runs * runColumns, runs * runColumns);
            for (int row = 0; row < rows; row++) {
                double expected = 0;
                double magnitude = 0;
                for (int column = 0; column < runs * runColumns; column++) {
                    double code = Math.rint(x[token * runs * runColumns + column] * s);
                    double term = code / s * trits[row][column] * scales[column / runColumns * rows + row];
                    expected += term;
                    magnitude += Math.abs(term);
                }
                assertThat(Math.abs(scalar[token * rows + row] - expected))
                        .as("token %d, row %d", token, row)
                        .isLessThanOrEqualTo(1e-6 * magnitude);
            }
        }
        assertThat(multiply(trits, runs, scales, x, tokens, "auto", 1)).isEqualTo(scalar);
        assertThat(multiply(trits, runs, scales, x, tokens, "auto", 3)).isEqualTo(scalar);
    }

    @Test
    void refusesRunsThatKernelsCannotReadOneByOne() {
        try (Arena arena = Arena.ofShared()) {
            TernaryMatrix narrow = TernaryMatrix.of(new TernaryLayout.Cells(), trits(4, 32), 1, arena);
            assertThatThrownBy(() -> new BlockScaledLinear(List.of(narrow, narrow), new float[8], null))
                    .hasMessage("expected runs of a multiple of 64 columns, found 32");
            TernaryMatrix wide = TernaryMatrix.of(new TernaryLayout.Cells(), trits(4, 64), 1, arena);
            assertThatThrownBy(() -> new BlockScaledLinear(List.of(wide, narrow), new float[8], null))
                    .hasMessage("expected runs of one shape, [4, 64]");
            assertThatThrownBy(() -> new BlockScaledLinear(List.of(wide, wide), new float[4], null))
                    .hasMessage("expected 8 scales, found 4");
        }
    }

    private static float[] multiply(
            byte[][] trits, int runs, float[] scales, float[] x, int tokens, String kernel, int threads) {
        int rows = trits.length;
        int runColumns = trits[0].length / runs;
        Kernels kernels = KernelSelection.select(kernel, threads);
        try (Arena arena = Arena.ofShared()) {
            List<TernaryMatrix> matrices = new ArrayList<>();
            for (int run = 0; run < runs; run++) {
                TernaryMatrix.Builder builder = kernels.layout().builder(rows, runColumns, arena);
                for (int row = 0; row < rows; row++) {
                    builder.setRow(row, trits[row], run * runColumns);
                }
                matrices.add(builder.build(1));
            }
            Linear linear = new BlockScaledLinear(matrices, scales, null);
            LinearInput input = new LinearInput(tokens + 1, linear.inputSize(), PassCounter.off());
            linear.prepare(x, tokens, input, kernels);
            float[] out = new float[tokens * rows];
            linear.multiply(input, new int[tokens * rows], out, kernels);
            return out;
        } finally {
            kernels.workers().close();
        }
    }

    private byte[][] trits(int rows, int columns) {
        byte[][] trits = new byte[rows][columns];
        for (byte[] row : trits) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) (random.nextInt(3) - 1);
            }
        }
        return trits;
    }

    private float[] floats(int size) {
        float[] floats = new float[size];
        for (int i = 0; i < size; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    private static float absmax(float[] x, int offset, int length) {
        float absmax = 0;
        for (int i = offset; i < offset + length; i++) {
            absmax = Math.max(absmax, Math.abs(x[i]));
        }
        return absmax;
    }
}
