package org.setun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class TernaryMatrixTest {

    private static final List<int[]> SHAPES = List.of(
            new int[] {1, 1},
            new int[] {31, 5},
            new int[] {64, 8},
            new int[] {65, 6},
            new int[] {300, 199},
            new int[] {513, 200},
            new int[] {700, 401});

    static Stream<TernaryLayout> layouts() {
        return Stream.of(
                new TernaryLayout.Cells(),
                new TernaryLayout.Base3(1),
                new TernaryLayout.Base3(2),
                new TernaryLayout.Base3(7));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void holdsWhatWasPacked(TernaryLayout layout) {
        for (int[] shape : SHAPES) {
            byte[][] trits = trits(shape[0], shape[1]);
            try (Arena arena = Arena.ofConfined()) {
                TernaryMatrix matrix = TernaryMatrix.of(layout, trits, 0.5f, arena);

                assertThat(matrix.rows()).isEqualTo(shape[0]);
                assertThat(matrix.columns()).isEqualTo(shape[1]);
                assertThat(matrix.scale()).isEqualTo(0.5f);
                assertThat(matrix.byteSize()).isEqualTo(layout.packedBytes(shape[0], shape[1]));
                long zeros = 0;
                long negatives = 0;
                for (int row = 0; row < shape[0]; row++) {
                    byte[] unpacked = new byte[shape[1] + 2];
                    matrix.readRow(row, unpacked, 1);
                    assertThat(unpacked[0]).isZero();
                    assertThat(unpacked[shape[1] + 1]).isZero();
                    for (int column = 0; column < shape[1]; column++) {
                        assertThat(matrix.trit(row, column)).isEqualTo(trits[row][column]);
                        assertThat(unpacked[1 + column]).isEqualTo(trits[row][column]);
                        zeros += trits[row][column] == 0 ? 1 : 0;
                        negatives += trits[row][column] < 0 ? 1 : 0;
                    }
                }
                assertThat(matrix.zeros()).isEqualTo(zeros);
                assertThat(matrix.negatives()).isEqualTo(negatives);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void rowsSetTogetherLieAsRowsSetAlone(TernaryLayout layout) {
        for (int[] shape : SHAPES) {
            int rows = shape[0];
            int columns = shape[1];
            byte[][] trits = trits(rows, columns);
            // With and without space for whole words at the end, and at multiples of 64 or not.
            for (int padding : new int[] {0, 8}) {
                for (int batch : new int[] {64, 48, 128}) {
                    try (Arena arena = Arena.ofConfined()) {
                        TernaryMatrix alone = TernaryMatrix.of(layout, trits, 1, arena);
                        TernaryMatrix.Builder builder = layout.builder(rows, columns, arena);
                        int stride = columns + 3;
                        for (int first = 0; first < rows; first += batch) {
                            int count = Math.min(batch, rows - first);
                            byte[] together = new byte[2 + (count - 1) * stride + columns + padding];
                            Arrays.fill(together, (byte) 77);
                            for (int i = 0; i < count; i++) {
                                System.arraycopy(trits[first + i], 0, together, 2 + i * stride, columns);
                            }
                            builder.setRows(first, count, together, 2, stride);
                        }
                        TernaryMatrix matrix = builder.build(1);

                        assertThat(matrix.zeros()).isEqualTo(alone.zeros());
                        assertThat(matrix.negatives()).isEqualTo(alone.negatives());
                        assertThat(bytes(matrix)).isEqualTo(bytes(alone));
                        if (matrix instanceof Base3Matrix base3) {
                            assertThat(base3.negativeCodes()).isEqualTo(((Base3Matrix) alone).negativeCodes());
                        }
                    }
                }
            }
        }
    }

    private static byte[] bytes(TernaryMatrix matrix) {
        return switch (matrix) {
            case Base3Matrix base3 -> base3.codes().toArray(ValueLayout.JAVA_BYTE);
            case CellMatrix cells -> cells.words().toArray(ValueLayout.JAVA_BYTE);
        };
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void everyWrongByteIsFoundWhereverItIs(TernaryLayout layout) {
        int columns = 23;
        try (Arena arena = Arena.ofConfined()) {
            for (int value = Byte.MIN_VALUE; value <= Byte.MAX_VALUE; value++) {
                if (value >= -1 && value <= 1) {
                    continue;
                }
                int row = Math.floorMod(value, 64);
                int column = Math.floorMod(value, columns);
                byte[] trits = new byte[64 * columns + 8];
                trits[row * columns + column] = (byte) value;
                TernaryMatrix.Builder builder = layout.builder(64, columns, arena);
                String message = "row " + row + ", column " + column + ": " + value + " is no trit";
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> builder.setRows(0, 64, trits, 0, columns))
                        .withMessage(message);
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> builder.setRow(row, trits, row * columns))
                        .withMessage(message);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void aRowNeverSetIsZero(TernaryLayout layout) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix matrix = layout.builder(70, 11, arena)
                    .setRow(69, new byte[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 0)
                    .build(1);

            assertThat(matrix.zeros()).isEqualTo(69 * 11);
            assertThat(matrix.trit(68, 10)).isZero();
            assertThat(matrix.trit(69, 10)).isOne();
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void refusesWhatIsNoTritAndWhatIsEmpty(TernaryLayout layout) {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix.Builder builder = layout.builder(70, 11, arena);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> builder.setRow(3, new byte[] {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0}, 0))
                    .withMessage("row 3, column 6: 2 is no trit");
            assertThatIllegalArgumentException().isThrownBy(() -> layout.builder(0, 11, arena));
            assertThatIllegalArgumentException().isThrownBy(() -> layout.builder(70, 0, arena));
        }
    }

    /** The class comment's order, walked through with a loop for each of its words. */
    @Test
    void base3LiesInMemoryAsDocumented() {
        int rows = 700;
        int columns = 401;
        byte[][] trits = trits(rows, columns);
        try (Arena arena = Arena.ofConfined()) {
            Base3Matrix matrix = (Base3Matrix) TernaryMatrix.of(new TernaryLayout.Base3(2), trits, 1, arena);
            assertThat(matrix.codes().address() % 64).isZero();
            assertThat(matrix.rowBlock()).isEqualTo(384);
            int[] negatives = new int[rows];
            long at = 0;
            for (int panel = 0; panel < rows; panel += 384) {
                assertThat(matrix.panelOffset(panel)).isEqualTo(at);
                int vectors = panel == 0 ? 6 : 5;
                assertThat(matrix.panelVectors(panel)).isEqualTo(vectors);
                for (int chunk = 0; chunk < 81; chunk += 40) {
                    for (int block = 0; block < vectors; block += 2) {
                        for (int group = chunk; group < Math.min(81, chunk + 40); group++) {
                            for (int vector = block; vector < Math.min(vectors, block + 2); vector++) {
                                for (int lane = 0; lane < 64; lane++) {
                                    int row = panel + 64 * vector + (lane % 2 == 0 ? lane / 2 : 32 + lane / 2);
                                    int code = matrix.codes().get(ValueLayout.JAVA_BYTE, at++) & 0xff;
                                    int value = value(trits, row, 5 * group);
                                    assertThat(code).isEqualTo(value < 0 ? 128 - value : value);
                                    if (value < 0) {
                                        negatives[row]++;
                                    }
                                }
                            }
                        }
                    }
                }
            }
            assertThat(at).isEqualTo(matrix.byteSize());
            assertThat(matrix.negativeCodes()).isEqualTo(negatives);
        }
    }

    private static int value(byte[][] trits, int row, int column) {
        int value = 0;
        for (int k = 4; k >= 0; k--) {
            boolean within = row < trits.length && column + k < trits[0].length;
            value = 3 * value + (within ? trits[row][column + k] : 0);
        }
        return value;
    }

    private static byte[][] trits(int rows, int columns) {
        SplittableRandom random = new SplittableRandom(31L * rows + columns);
        byte[][] trits = new byte[rows][columns];
        for (byte[] row : trits) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) (random.nextInt(3) - 1);
            }
        }
        return trits;
    }
}
