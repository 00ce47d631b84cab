package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

final class TernaryPackingTest {

    @ParameterizedTest
    @EnumSource
    void goldenBytesUnpackToTheirTrits(TernaryPacking packing) throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GoldenFiles.path("quant-blocks/blocks.safetensors"))) {
            StoredTensor expected = blocks.require(packing.configName() + ".trits");
            int rows = (int) expected.shape().dimension(0);
            int columns = (int) expected.shape().dimension(1);
            StoredTensor packed = blocks.requirePacked(packing.configName() + ".packed", packing, rows, columns);

            assertThat(unpack(packing, packed, rows, columns))
                    .isEqualTo(expected.bytes().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @ParameterizedTest
    @EnumSource
    void goldenTritsPackToTheirBytes(TernaryPacking packing) throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GoldenFiles.path("quant-blocks/blocks.safetensors"))) {
            StoredTensor trits = blocks.require(packing.configName() + ".trits");
            int rows = (int) trits.shape().dimension(0);
            int columns = (int) trits.shape().dimension(1);

            assertThat(pack(packing, trits.bytes().toArray(ValueLayout.JAVA_BYTE), rows, columns))
                    .isEqualTo(blocks.require(packing.configName() + ".packed")
                            .bytes()
                            .toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @ParameterizedTest
    @EnumSource
    void unpackingReversesPackingForEverySize(TernaryPacking packing) throws Exception {
        Random random = new Random(7);
        for (int rows = 1; rows <= 16; rows++) {
            for (int columns = 1; columns <= 41; columns++) {
                if (packing.canPack(rows, columns)) {
                    byte[] trits = new byte[rows * columns];
                    for (int i = 0; i < trits.length; i++) {
                        trits[i] = (byte) (random.nextInt(3) - 1);
                    }
                    StoredTensor packed =
                            tensor(pack(packing, trits, rows, columns), packing.packedShape(rows, columns));

                    assertThat(unpack(packing, packed, rows, columns)).isEqualTo(trits);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "U2_ROWS, 8, 3, 0x03, 0, 0",
        "U2_ROWS, 8, 3, 0xD5, 6, 0",
        "U2_COLS, 1, 24, 0x03, 0, 0",
        "U2_COLS, 1, 24, 0xD5, 0, 18",
        "B3, 1, 30, 0xF3, 0, 0",
        "B3, 1, 30, 0xFF, 0, 0"
    })
    void codeThatIsNoTritIsReportedWithItsPlace(
            TernaryPacking packing, int rows, int columns, String value, int row, int column) {
        byte[] bytes = new byte[6];
        Arrays.fill(bytes, (byte) 0x55);
        bytes[0] = (byte) Integer.decode(value).intValue();
        StoredTensor packed = tensor(bytes, packing.packedShape(rows, columns));

        assertThatThrownBy(() -> unpack(packing, packed, rows, columns))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage("model.safetensors: tensor t, row " + row + ", column " + column + ": the "
                        + packing.configName() + " code there stands for no trit; the file is damaged or packed in"
                        + " another way, download it again or correct quantization in config.json");
    }

    @Test
    void missingColumnsOfBase3AreWrittenAsZeroAndNotLookedAt() throws Exception {
        byte[] packed = pack(TernaryPacking.B3, new byte[] {1, -1}, 1, 2);
        assertThat(packed).containsExactly(2 + 0 + 9 + 27 + 81);

        StoredTensor otherPadding = tensor(new byte[] {2 + 0 + 18 + 0 + 81}, Shape.of(1, 1));
        assertThat(unpack(TernaryPacking.B3, otherPadding, 1, 2)).containsExactly(1, -1);
    }

    @Test
    void sizesThatDoNotDivideCannotBePacked() {
        assertThat(TernaryPacking.U2_ROWS.canPack(6, 4)).isFalse();
        assertThat(TernaryPacking.U2_COLS.canPack(4, 6)).isFalse();
        assertThat(TernaryPacking.B3.canPack(3, 7)).isTrue();
        assertThat(TernaryPacking.B3.canPack(0, 7)).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TernaryPacking.U2_ROWS.packedShape(6, 4))
                .withMessage("a matrix [6, 4] cannot be stored as u2_rows");
    }

    @ParameterizedTest
    @EnumSource
    void valueThatIsNoTritIsNotPacked(TernaryPacking packing) {
        byte[] trits = new byte[16];
        trits[1] = 2;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> packing.packRow(trits, 4, new byte[4], 0))
                .withMessage("2 is no trit");
    }

    @Test
    void namesAreThoseOfTheConfig() {
        assertThat(TernaryPacking.parse("u2_rows")).contains(TernaryPacking.U2_ROWS);
        assertThat(TernaryPacking.parse("u2_cols")).contains(TernaryPacking.U2_COLS);
        assertThat(TernaryPacking.parse("b3")).contains(TernaryPacking.B3);
        assertThat(TernaryPacking.parse("U2_ROWS")).isEmpty();
        assertThat(TernaryPacking.parse("float")).isEmpty();
    }

    private static StoredTensor tensor(byte[] bytes, Shape shape) {
        return new StoredTensor("model.safetensors", "t", ElementType.U8, shape, MemorySegment.ofArray(bytes));
    }

    private static byte[] unpack(TernaryPacking packing, StoredTensor packed, int rows, int columns)
            throws CheckpointFormatException {
        byte[] trits = new byte[rows * columns];
        for (int row = 0; row < rows; row++) {
            packing.unpackRow(packed, rows, columns, row, trits, row * columns);
        }
        return trits;
    }

    private static byte[] pack(TernaryPacking packing, byte[] trits, int rows, int columns) {
        Shape shape = packing.packedShape(rows, columns);
        int rowBytes = (int) shape.dimension(1);
        byte[] packed = new byte[(int) shape.elements()];
        byte[] source = new byte[packing.rowsPerPackedRow() * columns];
        for (int packedRow = 0; packedRow < shape.dimension(0); packedRow++) {
            for (int index = 0; index < packing.rowsPerPackedRow(); index++) {
                int row = packing.sourceRow(rows, packedRow, index);
                System.arraycopy(trits, row * columns, source, index * columns, columns);
            }
            packing.packRow(source, columns, packed, packedRow * rowBytes);
        }
        return packed;
    }
}
