package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.setun.checkpoint.Checkpoint;

/** The selection of codes is that of the reference, and of a stable sort by magnitude. */
final class CodeSelectionTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden/quant-blocks/blocks.safetensors");
    private static final int GOLDEN_TOKENS = 8;
    private static final int GOLDEN_COLUMNS = 64;
    private static final int[] COLUMNS = {1, 2, 3, 7, 63, 64, 65, 127, 320, 1021, 2560};

    /** How codes are made: any byte, a few values with many ties, all equal, the extremes, mostly zero, all zero. */
    private static List<IntUnaryOperator> distributions(SplittableRandom random) {
        return List.of(
                i -> random.nextInt(-128, 128),
                i -> random.nextInt(-3, 4),
                i -> i % 2 == 0 ? 5 : -5,
                i -> random.nextBoolean() ? -128 : 127,
                i -> random.nextInt(20) == 0 ? random.nextInt(-127, 128) : 0,
                i -> 0);
    }

    @Test
    void reproducesTheSelectionsOfTheReference() throws Exception {
        // K = max(1, floor(0.4 * 64 + 0.5))
        assertThat(select(golden("act.codes"), (codes, token) -> codes.keepLargest(token, 26)))
                .isEqualTo(golden("act.topk_0.4"));
        assertThat(select(golden("act.codes"), (codes, token) -> codes.keepLargestOfEach(token, 2, 4)))
                .isEqualTo(golden("act.block_2_4"));
        assertThat(select(golden("act.codes"), (codes, token) -> codes.keepLargestOfEach(token, 16, 32)))
                .isEqualTo(golden("act.block_16_32"));
    }

    @Test
    void keepsWhatAStableSortPutsFirst() {
        SplittableRandom random = random("keepsWhatAStableSortPutsFirst");
        for (IntUnaryOperator distribution : distributions(random)) {
            for (int columns : COLUMNS) {
                for (int keep : new int[] {1, 2, columns / 2, columns - 1, columns, columns + 1}) {
                    if (keep > 0) {
                        byte[] codes = codes(columns, distribution);
                        QuantizedActivations activations = activations(codes);
                        activations.keepLargest(1, keep);

                        assertThat(row(activations, 1)).isEqualTo(sorted(codes, keep, columns));
                        assertThat(row(activations, 0)).isEqualTo(codes);
                    }
                }
            }
        }
    }

    @Test
    void keepsOfEveryBlockWhatAStableSortPutsFirst() {
        SplittableRandom random = random("keepsOfEveryBlockWhatAStableSortPutsFirst");
        for (IntUnaryOperator distribution : distributions(random)) {
            for (int m : new int[] {1, 2, 3, 4, 32, 100, 1000}) {
                for (int n : new int[] {1, 2, m / 2, m - 1, m}) {
                    if (n > 0 && n <= m) {
                        byte[] codes = codes(3 * m, distribution);
                        QuantizedActivations activations = activations(codes);
                        activations.keepLargestOfEach(1, n, m);

                        assertThat(row(activations, 1)).isEqualTo(sorted(codes, n, m));
                        assertThat(row(activations, 0)).isEqualTo(codes);
                    }
                }
            }
        }
    }

    @Test
    void countsAndListsTheColumnsThatAreNotZero() {
        SplittableRandom random = random("countsAndListsTheColumnsThatAreNotZero");
        for (IntUnaryOperator distribution : distributions(random)) {
            for (int columns : COLUMNS) {
                byte[] codes = codes(columns, distribution);
                QuantizedActivations activations = activations(codes);
                activations.countNonZeros(1);
                activations.listNonZeros(1);

                int from = activations.rowOffset(1);
                assertThat(Arrays.copyOfRange(activations.nonZeroColumns(), from, from + activations.nonZeros(1)))
                        .isEqualTo(IntStream.range(0, columns)
                                .filter(column -> codes[column] != 0)
                                .toArray());
            }
        }
    }

    @Test
    void refusesASelectionThatKeepsNothingOrDoesNotFit() {
        QuantizedActivations activations = activations(new byte[10]);

        assertThatIllegalArgumentException().isThrownBy(() -> activations.keepLargest(0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> activations.keepLargestOfEach(0, 0, 5));
        assertThatIllegalArgumentException().isThrownBy(() -> activations.keepLargestOfEach(0, 6, 5));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> activations.keepLargestOfEach(0, 2, 4))
                .withMessage("expected to keep 1 to 4 codes of 4 in a multiple of 4 columns, found 2 and 10 columns");
    }

    private interface Selection {
        void apply(QuantizedActivations codes, int token);
    }

    private static byte[] select(byte[] codes, Selection selection) {
        QuantizedActivations activations = new QuantizedActivations(GOLDEN_TOKENS, GOLDEN_COLUMNS);
        activations.reshape(GOLDEN_COLUMNS);
        System.arraycopy(codes, 0, activations.codes(), 0, codes.length);
        for (int token = 0; token < GOLDEN_TOKENS; token++) {
            selection.apply(activations, token);
        }
        return Arrays.copyOf(activations.codes(), codes.length);
    }

    private static byte[] golden(String name) throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GOLDEN)) {
            return blocks.require(name).bytes().toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** The definition: a stable sort by descending magnitude of every {@code m} codes, of which the first {@code n} stay. */
    private static byte[] sorted(byte[] codes, int n, int m) {
        byte[] kept = new byte[codes.length];
        for (int from = 0; from < codes.length; from += m) {
            IntStream.range(from, from + m)
                    .boxed()
                    .sorted(Comparator.comparingInt(i -> -Math.abs(codes[i])))
                    .limit(n)
                    .forEach(i -> kept[i] = codes[i]);
        }
        return kept;
    }

    private static byte[] codes(int columns, IntUnaryOperator distribution) {
        byte[] codes = new byte[columns];
        for (int column = 0; column < columns; column++) {
            codes[column] = (byte) distribution.applyAsInt(column);
        }
        return codes;
    }

    /** Returns two tokens of the same codes. */
    private static QuantizedActivations activations(byte[] codes) {
        QuantizedActivations activations = new QuantizedActivations(2, codes.length + 100);
        activations.reshape(codes.length);
        for (int token = 0; token < 2; token++) {
            System.arraycopy(codes, 0, activations.codes(), activations.rowOffset(token), codes.length);
        }
        return activations;
    }

    private static byte[] row(QuantizedActivations activations, int token) {
        int from = activations.rowOffset(token);
        return Arrays.copyOfRange(activations.codes(), from, from + activations.columns());
    }

    private static SplittableRandom random(String test) {
        return new SplittableRandom(Seeds.next("CodeSelectionTest#" + test));
    }
}
