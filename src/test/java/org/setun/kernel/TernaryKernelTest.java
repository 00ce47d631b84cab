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
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/** Every ternary kernel that this machine can run computes exactly the integers of the definition. */
final class TernaryKernelTest {

    private static final int THREADS = 3;
    private static final int UNTOUCHED = 0x5ca1ab1e;
    private static final int[] ROWS = {1, 2, 7, 31, 32, 33, 61, 64, 65, 97, 128, 129, 257, 700, 1031};
    private static final int[] COLUMNS = {1, 3, 5, 7, 8, 9, 64, 65, 127, 128, 129, 199, 200, 201, 1021};
    private static final int[] TOKENS = {1, 2, 3, 4, 5, 8, 9};

    static Stream<TernaryKernel> kernels() {
        return AvailableKernels.names().stream().map(KernelSelection::ternary);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void computesTheDefinitionForEveryShape(TernaryKernel kernel) {
        long seed = Seeds.next("TernaryKernelTest#computesTheDefinitionForEveryShape");
        Random random = new Random(seed);
        for (int rows : ROWS) {
            for (int columns : COLUMNS) {
                int tokens = TOKENS[random.nextInt(TOKENS.length)];
                check(kernel, rows, columns, tokens, i -> random.nextInt(3) - 1, i -> random.nextInt(255) - 127);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void computesTheDefinitionForEveryNumberOfTokens(TernaryKernel kernel) {
        Random random = new Random(Seeds.next("TernaryKernelTest#computesTheDefinitionForEveryNumberOfTokens"));
        for (int tokens : TOKENS) {
            check(kernel, 160, 200, tokens, i -> random.nextInt(3) - 1, i -> random.nextInt(255) - 127);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void doesNotOverflowOnTheLargestSums(TernaryKernel kernel) {
        for (int trit : new int[] {-1, 0, 1}) {
            for (int code : new int[] {-128, -127, 0, 127}) {
                check(kernel, 96, 2_049, 5, i -> trit, i -> code);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void touchesOnlyTheRowsAsked(TernaryKernel kernel) {
        Random random = new Random(Seeds.next("TernaryKernelTest#touchesOnlyTheRowsAsked"));
        int rows = 300;
        int tokens = 5;
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = matrix(kernel, rows, 40, i -> random.nextInt(3) - 1, arena);
            QuantizedActivations activations = activations(tokens, 40, i -> random.nextInt(255) - 127);
            int block = weights.rowBlock();
            int[] whole = new int[tokens * rows];
            kernel.multiply(weights, activations, tokens, 0, rows, whole);
            for (int from = 0; from < rows; from += block) {
                for (int to : new int[] {from + block, from + 5 * block, rows}) {
                    if (to > rows) {
                        continue;
                    }
                    int[] sums = new int[tokens * rows];
                    Arrays.fill(sums, UNTOUCHED);
                    kernel.multiply(weights, activations, tokens, from, to, sums);
                    for (int i = 0; i < sums.length; i++) {
                        boolean asked = i % rows >= from && i % rows < to;
                        assertThat(sums[i]).isEqualTo(asked ? whole[i] : UNTOUCHED);
                    }
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void refusesActivationsOfAnotherWidth(TernaryKernel kernel) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = matrix(kernel, 32, 40, i -> 1, arena);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> kernel.multiply(weights, activations(1, 48, i -> 1), 1, 0, 32, new int[32]))
                    .withMessageContaining("40")
                    .withMessageContaining("48");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void refusesAnotherLayoutThanItsOwn(TernaryKernel kernel) {
        boolean base3 = kernel.layout(1) instanceof TernaryLayout.Base3;
        TernaryLayout other = base3 ? new TernaryLayout.Cells() : new TernaryLayout.Base3(1);
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = TernaryMatrix.of(other, new byte[32][40], 1, arena);
            if (kernel instanceof ScalarTernaryKernel) {
                // The specification reads trits, however they lie.
                kernel.multiply(weights, activations(1, 40, i -> 1), 1, 0, 32, new int[32]);
            } else {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> kernel.multiply(weights, activations(1, 40, i -> 1), 1, 0, 32, new int[32]))
                        .withMessageContaining(kernel.name())
                        .withMessageContaining(weights.getClass().getSimpleName());
            }
        }
    }

    @Test
    void kernelsAreNamedAfterTheirWidth() {
        assertThat(kernels().map(TernaryKernel::name)).isEqualTo(AvailableKernels.names());
    }

    private static void check(
            TernaryKernel kernel, int rows, int columns, int tokens, IntUnaryOperator trits, IntUnaryOperator codes) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = matrix(kernel, rows, columns, trits, arena);
            QuantizedActivations activations = activations(tokens, columns, codes);
            int[] sums = new int[tokens * rows];
            Arrays.fill(sums, UNTOUCHED);
            kernel.multiply(weights, activations, tokens, 0, rows, sums);
            assertThat(sums)
                    .as("%s, %d rows, %d columns, %d tokens", kernel.name(), rows, columns, tokens)
                    .isEqualTo(expected(weights, activations, tokens));
        }
    }

    private static int[] expected(TernaryMatrix weights, QuantizedActivations activations, int tokens) {
        int[] sums = new int[tokens * weights.rows()];
        for (int token = 0; token < tokens; token++) {
            for (int row = 0; row < weights.rows(); row++) {
                for (int column = 0; column < weights.columns(); column++) {
                    sums[token * weights.rows() + row] +=
                            weights.trit(row, column) * activations.codes()[activations.rowOffset(token) + column];
                }
            }
        }
        return sums;
    }

    private static TernaryMatrix matrix(
            TernaryKernel kernel, int rows, int columns, IntUnaryOperator trits, Arena arena) {
        byte[][] values = new byte[rows][columns];
        for (byte[] row : values) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) trits.applyAsInt(column);
            }
        }
        return TernaryMatrix.of(kernel.layout(THREADS), values, 1, arena);
    }

    private static QuantizedActivations activations(int tokens, int columns, IntUnaryOperator codes) {
        QuantizedActivations activations = new QuantizedActivations(tokens, columns + 100);
        activations.reshape(columns);
        for (int token = 0; token < tokens; token++) {
            for (int column = 0; column < columns; column++) {
                activations.codes()[activations.rowOffset(token) + column] = (byte) codes.applyAsInt(column);
            }
        }
        return activations;
    }
}
