package org.setun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TernaryColumnsTest {

    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);

    @ParameterizedTest
    @CsvSource({"1,1", "31,7", "32,8", "33,9", "255,16", "256,17", "257,5", "600,41", "1024,64"})
    void holdsTheTritsOfItsMatrix(int rows, int columns) {
        try (Arena arena = Arena.ofConfined()) {
            for (TernaryLayout layout : List.of(new TernaryLayout.Cells(), new TernaryLayout.Base3(2))) {
                TernaryMatrix matrix = matrix(layout, rows, columns, arena);
                TernaryColumns turned = TernaryColumns.of(matrix, arena);

                assertThat(turned.rows()).isEqualTo(rows);
                assertThat(turned.columns()).isEqualTo(columns);
                assertThat(turned.words().byteSize()).isEqualTo(TernaryColumns.packedBytes(rows, columns));
                assertSame(turned, 0, matrix);
            }
        }
    }

    @Test
    void liesInMemoryAsDocumented() {
        int rows = 300;
        int columns = 3;
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix matrix = matrix(rows, columns, arena);
            TernaryColumns turned = TernaryColumns.of(matrix, arena);

            assertThat(turned.words().address() % 64).isZero();
            for (int column = 0; column < columns; column++) {
                for (int row = 0; row < 512; row++) {
                    // Two blocks of 32 words a column; each word has the codes of the rows i, 32 + i, 64 + i, ...
                    int index = (column * 2 + row / 256) * 32 + row % 32;
                    int word = turned.words().getAtIndex(WORD, index);
                    int code = (word >>> (2 * (row / 32 % 8))) & 3;
                    assertThat(code).isEqualTo(row < rows ? matrix.trit(row, column) + 1 : 1);
                }
            }
        }
    }

    @Test
    void takesTheRowsOfSeveralMatricesInAnyOrder() {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix upper = matrix(300, 21, arena);
            TernaryMatrix lower = matrix(513, 21, arena);
            TernaryColumns both = new TernaryColumns.Builder(512 + 513, 21, arena)
                    .setRows(512, lower, 256, 513)
                    .setRows(0, upper, 0, 300)
                    .setRows(512, lower, 0, 256)
                    .build();

            assertSame(both, 0, upper);
            assertSame(both, 512, lower);
            for (int row = 300; row < 512; row++) {
                assertThat(both.trit(row, 20)).isZero();
            }
        }
    }

    @Test
    void refusesRowsThatAreNoBlocksOrDoNotFit() {
        try (Arena arena = Arena.ofConfined()) {
            TernaryMatrix matrix = matrix(300, 21, arena);
            TernaryColumns.Builder builder = new TernaryColumns.Builder(512, 21, arena);

            assertThatIllegalArgumentException().isThrownBy(() -> builder.setRows(1, matrix, 0, 300));
            assertThatIllegalArgumentException().isThrownBy(() -> builder.setRows(0, matrix, 1, 300));
            assertThatIllegalArgumentException().isThrownBy(() -> builder.setRows(0, matrix, 0, 299));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> builder.setRows(256, matrix, 0, 300))
                    .withMessageContaining("within 512, found rows 0 to 300 from row 256 on");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> builder.setRows(0, matrix(256, 20, arena), 0, 256))
                    .withMessage("expected a matrix of 21 columns, found 20");
            assertThatIllegalArgumentException().isThrownBy(() -> new TernaryColumns.Builder(0, 1, arena));
        }
    }

    private static void assertSame(TernaryColumns turned, int firstRow, TernaryMatrix matrix) {
        for (int row = 0; row < matrix.rows(); row++) {
            for (int column = 0; column < matrix.columns(); column++) {
                assertThat(turned.trit(firstRow + row, column))
                        .as("row %d, column %d", row, column)
                        .isEqualTo(matrix.trit(row, column));
            }
        }
    }

    private static TernaryMatrix matrix(int rows, int columns, Arena arena) {
        return matrix(new TernaryLayout.Cells(), rows, columns, arena);
    }

    private static TernaryMatrix matrix(TernaryLayout layout, int rows, int columns, Arena arena) {
        SplittableRandom random = new SplittableRandom(31L * rows + columns);
        byte[][] trits = new byte[rows][columns];
        for (byte[] row : trits) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) (random.nextInt(3) - 1);
            }
        }
        return TernaryMatrix.of(layout, trits, 1, arena);
    }
}
