package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.tensor.TernaryColumns;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * Every sparse kernel that this machine can run computes exactly the integers of the definition, and those that the dense
 * kernel of the same name computes from the same codes.
 */
final class SparseTernaryKernelTest {

    private static final int UNTOUCHED = 0x5ca1ab1e;
    private static final int[] ROWS = {1, 2, 31, 32, 33, 64, 127, 129, 255, 256, 257, 300, 513, 1024};
    private static final int[] COLUMNS = {1, 2, 3, 4, 5, 8, 63, 123, 124, 125, 127, 128, 129, 249, 1021};
    private static final double[] KEPT = {0, 0.01, 0.2, 0.4, 0.6, 0.95, 1};

    static Stream<SparseTernaryKernel> kernels() {
        return AvailableKernels.widths().stream().map(KernelSelection::sparse);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void computesTheDefinitionForEveryShapeAndSparsity(SparseTernaryKernel kernel) {
        Random random = random("computesTheDefinitionForEveryShapeAndSparsity");
        for (int rows : ROWS) {
            for (int columns : COLUMNS) {
                double kept = KEPT[random.nextInt(KEPT.length)];
                check(
                        kernel,
                        rows,
                        columns,
                        i -> random.nextInt(3) - 1,
                        i -> random.nextDouble() < kept ? random.nextInt(255) - 127 : 0);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void doesNotOverflowOnTheLargestSums(SparseTernaryKernel kernel) {
        for (int trit : new int[] {-1, 0, 1}) {
            for (int code : new int[] {-128, -127, 0, 127}) {
                check(kernel, 96, 2_049, i -> trit, i -> code);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void writesOnlyTheRowsAskedAndWhereItWasTold(SparseTernaryKernel kernel) {
        Random random = random("writesOnlyTheRowsAskedAndWhereItWasTold");
        int rows = 800;
        try (Arena arena = Arena.ofConfined()) {
            TernaryColumns weights = TernaryColumns.of(matrix(rows, 40, i -> random.nextInt(3) - 1, arena), arena);
            QuantizedActivations activations = activations(40, i -> random.nextInt(255) - 127);
            int[] whole = new int[rows];
            kernel.multiply(weights, activations, 1, 0, rows, whole, 0);
            for (int from = 0; from < rows; from += TernaryColumns.ROW_BLOCK) {
                for (int to : new int[] {from + 1, from + 77, from + TernaryColumns.ROW_BLOCK, rows}) {
                    if (to <= rows) {
                        int[] sums = new int[rows + 10];
                        Arrays.fill(sums, UNTOUCHED);
                        kernel.multiply(weights, activations, 1, from, to, sums, 3);

                        int[] expected = new int[rows + 10];
                        Arrays.fill(expected, UNTOUCHED);
                        System.arraycopy(whole, from, expected, 3, to - from);
                        assertThat(sums).isEqualTo(expected);
                    }
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void multipliesEachOfTheMatricesThatStandInOneColumn(SparseTernaryKernel kernel) {
        Random random = random("multipliesEachOfTheMatricesThatStandInOneColumn");
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix upper = matrix(300, 77, i -> random.nextInt(3) - 1, arena);
            TernaryMatrix lower = matrix(65, 77, i -> random.nextInt(3) - 1, arena);
            TernaryColumns both = new TernaryColumns.Builder(512 + 65, 77, arena)
                    .setRows(0, upper, 0, 300)
                    .setRows(512, lower, 0, 65)
                    .build();
            QuantizedActivations activations = activations(77, i -> random.nextInt(255) - 127);
            int[] sums = new int[512 + 65];
            kernel.multiply(both, activations, 1, 0, sums.length, sums, 0);

            assertThat(Arrays.copyOf(sums, 300)).isEqualTo(expected(upper, activations));
            assertThat(Arrays.copyOfRange(sums, 512, 577)).isEqualTo(expected(lower, activations));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void refusesActivationsOfAnotherWidth(SparseTernaryKernel kernel) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryColumns weights = TernaryColumns.of(matrix(32, 40, i -> 1, arena), arena);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> kernel.multiply(weights, activations(48, i -> 1), 0, 0, 32, new int[32], 0))
                    .withMessageContaining("40")
                    .withMessageContaining("48");
        }
    }

    @Test
    void kernelsAreNamedAfterTheirWidth() {
        assertThat(kernels().map(SparseTernaryKernel::name)).isEqualTo(AvailableKernels.widths());
    }

    private static void check(
            SparseTernaryKernel kernel, int rows, int columns, IntUnaryOperator trits, IntUnaryOperator codes) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = matrix(rows, columns, trits, arena);
            QuantizedActivations activations = activations(columns, codes);
            int[] sums = new int[rows];
            Arrays.fill(sums, UNTOUCHED);
            kernel.multiply(TernaryColumns.of(weights, arena), activations, 1, 0, rows, sums, 0);
            assertThat(sums)
                    .as("%s, %d rows, %d columns", kernel.name(), rows, columns)
                    .isEqualTo(expected(weights, activations));

            int[] dense = new int[2 * rows];
            new ScalarTernaryKernel().multiply(weights, activations, 2, 0, rows, dense);
            assertThat(Arrays.copyOfRange(dense, rows, 2 * rows)).isEqualTo(sums);
        }
    }

    /** Returns the sums of the second token. */
    private static int[] expected(TernaryMatrix weights, QuantizedActivations activations) {
        int[] sums = new int[weights.rows()];
        for (int row = 0; row < weights.rows(); row++) {
            for (int column = 0; column < weights.columns(); column++) {
                sums[row] += weights.trit(row, column) * activations.codes()[activations.rowOffset(1) + column];
            }
        }
        return sums;
    }

    private static TernaryMatrix matrix(int rows, int columns, IntUnaryOperator trits, Arena arena) {
        byte[][] values = new byte[rows][columns];
        for (byte[] row : values) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) trits.applyAsInt(column);
            }
        }
        return TernaryMatrix.of(new TernaryLayout.Cells(), values, 1, arena);
    }

    /** Returns two tokens, the second one's non-zero columns listed. */
    private static QuantizedActivations activations(int columns, IntUnaryOperator codes) {
        QuantizedActivations activations = new QuantizedActivations(2, columns + 100);
        activations.reshape(columns);
        for (int token = 0; token < 2; token++) {
            for (int column = 0; column < columns; column++) {
                activations.codes()[activations.rowOffset(token) + column] = (byte) codes.applyAsInt(column);
            }
        }
        activations.countNonZeros(1);
        activations.listNonZeros(1);
        return activations;
    }

    private static Random random(String test) {
        return new Random(Seeds.next("SparseTernaryKernelTest#" + test));
    }
}
