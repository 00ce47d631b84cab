package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
    private static final int MANY_TOKENS = 130;

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
        for (int tokens = 1; tokens <= MANY_TOKENS; tokens++) {
            check(kernel, 160, 203, tokens, i -> random.nextInt(3) - 1, i -> random.nextInt(256) - 128);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void doesNotOverflowOnTheLargestSums(TernaryKernel kernel) {
        for (int trit : new int[] {-1, 0, 1}) {
            for (int code : new int[] {-128, -127, 0, 127}) {
                for (int tokens : new int[] {1, 5, 14}) {
                    check(kernel, 96, 2_049, tokens, i -> trit, i -> code);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void readsOnlyTheColumnsOfAView(TernaryKernel kernel) {
        Random random = new Random(Seeds.next("TernaryKernelTest#readsOnlyTheColumnsOfAView"));
        for (int tokens : TOKENS) {
            try (Arena arena = Arena.ofConfined()) {
                TernaryMatrix weights = matrix(kernel, 70, 128, i -> random.nextInt(3) - 1, arena);
                // Full of codes on both sides, where rows of their own would have zeros.
                QuantizedActivations whole = activations(tokens, 320, i -> random.nextInt(256) - 128);
                QuantizedActivations view = whole.columns(64, 128);
                int[] sums = new int[tokens * 70];
                kernel.multiply(weights, view, tokens, 0, 70, sums);
                assertThat(sums).isEqualTo(expected(weights, view, tokens));
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void anyNumberOfThreadsComputesTheSame(TernaryKernel kernel) {
        Random random = new Random(Seeds.next("TernaryKernelTest#anyNumberOfThreadsComputesTheSame"));
        int rows = 1_100;
        int tokens = 7;
        for (int threads = 1; threads <= 5; threads++) {
            try (Arena arena = Arena.ofShared();
                    WorkerPool workers = WorkerPool.of(threads)) {
                byte[][] trits = new byte[rows][333];
                for (byte[] row : trits) {
                    for (int column = 0; column < row.length; column++) {
                        row[column] = (byte) (random.nextInt(3) - 1);
                    }
                }
                TernaryMatrix weights = TernaryMatrix.of(kernel.layout(threads), trits, 1, arena);
                QuantizedActivations activations = activations(tokens, 333, i -> random.nextInt(256) - 128);
                int[] sums = new int[tokens * rows];
                workers.forRange(
                        rows,
                        weights.rowBlock(),
                        (from, to) -> kernel.multiply(weights, activations, tokens, from, to, sums));
                assertThat(sums).isEqualTo(expected(weights, activations, tokens));
            }
        }
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("nativeKernels")
    void aProductTooLargeForOneCallIsExact(TernaryKernel kernel) {
        Random random = new Random(Seeds.next("TernaryKernelTest#aProductTooLargeForOneCallIsExact"));
        int rows = 700;
        int columns = 10_000;
        int tokens = 140;
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = matrix(kernel, rows, columns, i -> random.nextInt(3) - 1, arena);
            QuantizedActivations activations = activations(tokens, columns, i -> random.nextInt(256) - 128);
            int[] sums = new int[tokens * rows];
            kernel.multiply(weights, activations, tokens, 0, rows, sums);
            byte[] trits = new byte[columns];
            for (int row = 0; row < rows; row++) {
                weights.readRow(row, trits, 0);
                for (int token = 0; token < tokens; token++) {
                    int sum = 0;
                    for (int column = 0; column < columns; column++) {
                        sum += trits[column] * activations.codes()[activations.rowOffset(token) + column];
                    }
                    assertThat(sums[token * rows + row]).isEqualTo(sum);
                }
            }
        }
    }

    static Stream<TernaryKernel> nativeKernels() {
        return NativeLibrary.get().instructions().stream().map(NativeLibrary.get()::kernel);
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("nativeKernels")
    void wrongArgumentsThrowBeforeTheyReachC(TernaryKernel kernel) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix weights = matrix(kernel, 300, 40, i -> 1, arena);
            QuantizedActivations two = activations(2, 40, i -> 1);
            int block = weights.rowBlock();
            assertThatThrownBy(() -> kernel.multiply(weights, two, 3, 0, 300, new int[900]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernel.multiply(weights, two, -1, 0, 300, new int[900]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernel.multiply(weights, two, 2, 0, 301, new int[900]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernel.multiply(weights, two, 2, -block, 300, new int[900]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernel.multiply(weights, two, 2, 0, 300, new int[599]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            for (int[] range : new int[][] {{1, 300}, {0, block + 1}, {block - 1, block}}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> kernel.multiply(weights, two, 2, range[0], range[1], new int[900]))
                        .withMessageContaining("at multiples of " + block);
            }
            kernel.multiply(weights, two, 0, 0, 300, new int[0]);
        }
        TernaryMatrix gone;
        try (Arena closed = Arena.ofConfined()) {
            gone = matrix(kernel, 32, 40, i -> 1, closed);
        }
        assertThatThrownBy(() -> kernel.multiply(gone, activations(1, 40, i -> 1), 1, 0, 32, new int[32]))
                .isInstanceOf(IllegalStateException.class);
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
