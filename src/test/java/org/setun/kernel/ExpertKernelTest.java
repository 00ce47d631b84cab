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
import org.setun.kernel.ExpertKernel.Part;
import org.setun.tensor.TernaryTable;

/** Every expert kernel that this machine can run computes exactly the sums of the definition. */
final class ExpertKernelTest {

    private static final int UNTOUCHED = 0x5ca1ab1e;
    private static final int[] COLUMNS = {
        1, 3, 15, 16, 17, 64, 127, 128, 129, 255, 256, 257, 272, 511, 512, 1021, 1024, 2560, 8191
    };
    private static final int[] PICKS = {0, 1, 2, 3, 4, 5, 7, 8, 9, 13};
    private static final int ROWS = 6;
    private static final int TOKENS = 3;

    static Stream<ExpertKernel> kernels() {
        return AvailableKernels.widths().stream().map(KernelSelection::experts);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void productsAreExactForEveryWidthAndNumberOfPicks(ExpertKernel kernel) {
        Random random = new Random(Seeds.next("ExpertKernelTest#productsAreExactForEveryWidthAndNumberOfPicks"));
        for (int columns : COLUMNS) {
            for (int picks : PICKS) {
                checkProducts(
                        kernel, columns, picks, i -> random.nextInt(3) - 1, i -> random.nextInt(255) - 127, random);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void productsDoNotOverflowOnTheLargestSums(ExpertKernel kernel) {
        Random random = new Random(Seeds.next("ExpertKernelTest#productsDoNotOverflowOnTheLargestSums"));
        for (int trit : new int[] {-1, 0, 1}) {
            for (int code : new int[] {-128, -127, 0, 127}) {
                checkProducts(kernel, 3 * 15 * 256 + 19, 5, i -> trit, i -> code, random);
            }
        }
    }

    private static void checkProducts(
            ExpertKernel kernel,
            int columns,
            int picks,
            IntUnaryOperator trits,
            IntUnaryOperator codes,
            Random random) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryTable table = table(columns, trits, arena);
            QuantizedActivations activations = activations(columns, codes);
            ExpertCodes input = new ExpertCodes(TOKENS, columns);
            for (int token = 0; token < TOKENS; token++) {
                input.set(activations, token);
            }
            int[] rows = random.ints(picks + 2, 0, ROWS).toArray();
            int[] tokens = random.ints(picks + 2, 0, TOKENS).toArray();
            int[] sums = new int[picks + 2];
            Arrays.fill(sums, UNTOUCHED);
            kernel.multiply(table, input, rows, tokens, 1, picks + 1, sums);

            assertThat(sums[0]).isEqualTo(UNTOUCHED);
            assertThat(sums[picks + 1]).isEqualTo(UNTOUCHED);
            for (int i = 1; i <= picks; i++) {
                int expected = 0;
                for (int column = 0; column < columns; column++) {
                    expected += table.trit(rows[i], column)
                            * activations.codes()[activations.rowOffset(tokens[i]) + column];
                }
                assertThat(sums[i])
                        .as("%s, %d columns, pick %d of %d", kernel.name(), columns, i, picks)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void codesAreTakenOverForEveryWidthAndOverwriteThoseBefore() {
        Random random =
                new Random(Seeds.next("ExpertKernelTest#codesAreTakenOverForEveryWidthAndOverwriteThoseBefore"));
        for (int columns : COLUMNS) {
            ExpertCodes input = new ExpertCodes(TOKENS, columns);
            for (int round = 0; round < 2; round++) {
                QuantizedActivations activations = activations(columns, i -> random.nextInt(256) - 128);
                for (int token = TOKENS - 1; token >= 0; token--) {
                    input.set(activations, token);
                }
                for (int token = 0; token < TOKENS; token++) {
                    int sum = 0;
                    for (int column = 0; column < columns; column++) {
                        int code = activations.codes()[activations.rowOffset(token) + column];
                        assertThat(input.code(token, column)).isEqualTo(code);
                        sum += code;
                    }
                    assertThat(input.codeSum(token)).isEqualTo(sum);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void sumsOfRowsHaveTheScalarBitsForEveryPart(ExpertKernel kernel) {
        Random random = new Random(Seeds.next("ExpertKernelTest#sumsOfRowsHaveTheScalarBitsForEveryPart"));
        for (int columns : COLUMNS) {
            try (Arena arena = Arena.ofConfined()) {
                TernaryTable table = table(columns, i -> random.nextInt(3) - 1, arena);
                for (int picks : PICKS) {
                    // Few tokens, so that runs of the same one occur.
                    int tokens = 1 + random.nextInt(2);
                    int from = random.nextInt(table.blocks());
                    int to = from + random.nextInt(table.blocks() - from + 1);
                    int fromToken = random.nextInt(2);
                    checkSums(
                            kernel, table, picks, tokens, new Part(fromToken, 1 + random.nextInt(2), from, to), random);
                    checkSums(kernel, table, picks, tokens, new Part(0, TOKENS, 0, table.blocks()), random);
                }
            }
        }
    }

    private static void checkSums(
            ExpertKernel kernel, TernaryTable table, int picks, int tokens, Part part, Random random) {
        int columns = table.columns();
        int[] rows = random.ints(picks, 0, ROWS).toArray();
        int[] owners = random.ints(picks, 0, tokens).toArray();
        float[] factors = new float[picks];
        float[] special = {0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, -1e30f};
        for (int i = 0; i < picks; i++) {
            factors[i] = random.nextInt(8) == 0 ? special[random.nextInt(6)] : (float) random.nextGaussian();
        }
        float[] found = new float[TOKENS * columns];
        for (int i = 0; i < found.length; i++) {
            found[i] = random.nextInt(9) == 0 ? -0f : (float) random.nextGaussian();
        }
        float[] expected = found.clone();
        for (int i = 0; i < picks; i++) {
            boolean asked = owners[i] >= part.fromToken() && owners[i] < part.toToken();
            int from = asked ? part.fromBlock() * 256 : columns;
            for (int column = from; column < Math.min(columns, part.toBlock() * 256); column++) {
                int trit = table.trit(rows[i], column);
                expected[owners[i] * columns + column] += trit == 0 ? 0 : trit > 0 ? factors[i] : -factors[i];
            }
        }
        kernel.addRows(table, rows, owners, factors, picks, found, part);
        assertThat(bits(found))
                .as("%s, %d columns, %s, %d picks", kernel.name(), columns, part, picks)
                .isEqualTo(bits(expected));
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToIntBits(values[i]));
        return bits;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void refusesCodesOfAnotherWidth(ExpertKernel kernel) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryTable table = table(40, i -> 1, arena);
            assertThatIllegalArgumentException()
                    .isThrownBy(() ->
                            kernel.multiply(table, new ExpertCodes(1, 48), new int[1], new int[1], 0, 1, new int[1]))
                    .withMessageContaining("40")
                    .withMessageContaining("48");
        }
    }

    @Test
    void kernelsAreNamedAfterTheirWidth() {
        assertThat(kernels().map(ExpertKernel::name)).isEqualTo(AvailableKernels.widths());
    }

    private static TernaryTable table(int columns, IntUnaryOperator trits, Arena arena) {
        TernaryTable.Builder builder = new TernaryTable.Builder(ROWS, columns, arena);
        byte[] row = new byte[columns];
        for (int r = 0; r < ROWS; r++) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) trits.applyAsInt(column);
            }
            builder.setRow(r, row, 0, 1);
        }
        return builder.build();
    }

    private static QuantizedActivations activations(int columns, IntUnaryOperator codes) {
        QuantizedActivations activations = new QuantizedActivations(TOKENS, columns + 100);
        activations.reshape(columns);
        for (int token = 0; token < TOKENS; token++) {
            for (int column = 0; column < columns; column++) {
                activations.codes()[activations.rowOffset(token) + column] = (byte) codes.applyAsInt(column);
            }
        }
        return activations;
    }
}
