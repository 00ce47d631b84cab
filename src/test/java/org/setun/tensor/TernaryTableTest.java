package org.setun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TernaryTableTest {

    private static final long SEED = 20270311;

    @Test
    void givesBackEveryTritAndScaleInWhateverOrderTheRowsCome() {
        Random random = new Random(SEED);
        for (int columns : new int[] {1, 2, 15, 16, 17, 255, 256, 257, 511, 512, 1021}) {
            for (int rows : new int[] {1, 2, 7, 33}) {
                byte[][] trits = trits(rows, columns, random);
                try (Arena arena = Arena.ofShared()) {
                    TernaryTable.Builder builder = new TernaryTable.Builder(rows, columns, arena);
                    IntStream.range(0, rows)
                            .parallel()
                            .map(i -> rows - 1 - i)
                            .forEach(row -> builder.setRow(row, trits[row], 3, row + 0.5f));
                    TernaryTable table = builder.build();
                    long zeros = 0;
                    long negatives = 0;
                    for (int row = 0; row < rows; row++) {
                        assertThat(table.scale(row)).isEqualTo(row + 0.5f);
                        for (int column = 0; column < columns; column++) {
                            assertThat(table.trit(row, column)).isEqualTo(trits[row][3 + column]);
                            zeros += trits[row][3 + column] == 0 ? 1 : 0;
                            negatives += trits[row][3 + column] < 0 ? 1 : 0;
                        }
                    }
                    assertThat(table.zeros()).isEqualTo(zeros);
                    assertThat(table.negatives()).isEqualTo(negatives);
                    assertThat(table.words().byteSize() + 4L * rows).isEqualTo(TernaryTable.packedBytes(rows, columns));
                }
            }
        }
    }

    private static byte[][] trits(int rows, int columns, Random random) {
        byte[][] trits = new byte[rows][3 + columns];
        for (byte[] row : trits) {
            for (int i = 0; i < row.length; i++) {
                row[i] = (byte) (random.nextInt(3) - 1);
            }
        }
        return trits;
    }

    @Test
    void theBytesAreThoseOfTheDocumentedLayout() {
        byte[] trits = new byte[300];
        trits[0] = 1;
        trits[1] = -1;
        trits[16] = 1;
        trits[255] = -1;
        trits[256 + 18] = 1;
        try (Arena arena = Arena.ofConfined()) {
            TernaryTable table = new TernaryTable.Builder(2, 300, arena)
                    .setRow(1, trits, 0, 1)
                    .build();
            assertThat(table.rowOffset(1)).isEqualTo(128);
            byte[] row = table.words().asSlice(128, 128).toArray(ValueLayout.JAVA_BYTE);
            assertThat(row[0]).isEqualTo((byte) 0b01_01_10_10);
            assertThat(row[4]).isEqualTo((byte) 0b01_01_01_00);
            assertThat(row[63]).isEqualTo((byte) 0b00_01_01_01);
            assertThat(row[64 + 2 * 4]).isEqualTo((byte) 0b01_01_10_01);
            assertThat(IntStream.of(1, 2, 3, 5, 62, 64, 127)
                            .map(i -> row[i])
                            .boxed()
                            .toList())
                    .containsOnly(0b01_01_01_01);
        }
    }

    @Test
    void aRowNeverSetIsZero() {
        try (Arena arena = Arena.ofConfined()) {
            TernaryTable table = new TernaryTable.Builder(3, 20, arena).build();
            assertThat(table.trit(2, 19)).isZero();
            assertThat(table.scale(2)).isZero();
            assertThat(table.zeros()).isEqualTo(60);
        }
    }

    @Test
    void sizesAreLongs() {
        assertThat(TernaryTable.packedBytes(1 << 22, 2048)).isEqualTo((1L << 22) * (512 + 4));
        assertThat(TernaryTable.packedBytes(1 << 30, 1 << 20)).isEqualTo((1L << 30) * ((1L << 18) + 4));
    }

    @Test
    void rowsBeyondTwoGibibytesAreReached() {
        int rows = (1 << 25) + 1;
        byte[] trits = {1, -1, 0};
        try (Arena arena = Arena.ofConfined()) {
            TernaryTable table = new TernaryTable.Builder(rows, 3, arena)
                    .setRow(rows - 1, trits, 0, 2)
                    .build();
            assertThat(table.rowOffset(rows - 1)).isEqualTo(1L << 31);
            assertThat(List.of(table.trit(rows - 1, 0), table.trit(rows - 1, 1), table.trit(rows - 1, 2)))
                    .containsExactly(1, -1, 0);
            assertThat(table.trit(rows - 2, 0)).isZero();
            assertThat(table.scale(rows - 1)).isEqualTo(2);
        }
    }

    @Test
    void refusesWhatIsNoTritAndTablesOfNothing() {
        try (Arena arena = Arena.ofConfined()) {
            TernaryTable.Builder builder = new TernaryTable.Builder(2, 20, arena);
            byte[] row = new byte[20];
            row[17] = 2;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> builder.setRow(1, row, 0, 1))
                    .withMessage("row 1, column 17: 2 is no trit");
            assertThatIllegalArgumentException().isThrownBy(() -> new TernaryTable.Builder(0, 20, arena));
            assertThatIllegalArgumentException().isThrownBy(() -> new TernaryTable.Builder(20, 0, arena));
        }
    }
}
