package org.setun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class PanelMatrixTest {

    @Test
    void holdsEveryValueInPanelsThatEndInZeros() {
        int columns = 5;
        for (int rows : new int[] {1, 31, 32, 33, 70}) {
            float[] source = new float[2 + rows * columns];
            for (int i = 0; i < source.length; i++) {
                source[i] = i + 1;
            }
            try (Arena arena = Arena.ofConfined()) {
                PanelMatrix matrix = new PanelMatrix(rows, columns, source, 2, arena);
                float[] values = matrix.values().toArray(ValueLayout.JAVA_FLOAT);
                assertThat(values).hasSize(matrix.panels() * PanelMatrix.PANEL_ROWS * columns);
                for (int row = 0; row < matrix.panels() * PanelMatrix.PANEL_ROWS; row++) {
                    for (int column = 0; column < columns; column++) {
                        float expected = row < rows ? source[2 + row * columns + column] : 0;
                        assertThat(values[(row / 32 * columns + column) * 32 + row % 32])
                                .isEqualTo(expected);
                        if (row < rows) {
                            assertThat(matrix.value(row, column)).isEqualTo(expected);
                        }
                    }
                }
            }
        }
    }

    @Test
    void refusesSizesThatTheSourceDoesNotHave() {
        try (Arena arena = Arena.ofConfined()) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> new PanelMatrix(2, 3, new float[6], 1, arena));
            assertThatIllegalArgumentException().isThrownBy(() -> new PanelMatrix(0, 3, new float[6], 0, arena));
        }
    }
}
