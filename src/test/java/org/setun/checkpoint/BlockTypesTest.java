package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

final class BlockTypesTest {

    private static final int VALUES = 1024;
    private static final int ROWS = 4;
    private static final int COLUMNS = VALUES / ROWS;

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "Q4_0", "Q8_0", "Q6_K", "TQ1_0", "TQ2_0", "I2_S", "Q2_0", "Q2_0_G128"})
    void goldenBytesDecodeToTheirValuesBitForBit(ElementType type) throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GoldenFiles.path("quant-blocks/blocks.safetensors"))) {
            StoredTensor tensor = golden(blocks, type, Shape.of(ROWS, COLUMNS));
            float[] expected = blocks.require(goldenName(type) + ".values").floats();

            assertThat(tensor.floats()).isEqualTo(expected);

            float[] rows = new float[VALUES];
            for (int row = ROWS - 1; row >= 0; row--) {
                tensor.readRow(row, rows, row * COLUMNS);
            }
            assertThat(rows).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TQ1_0", "TQ2_0", "I2_S"})
    void scalesTimesTritsAreTheGoldenValues(ElementType type) throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GoldenFiles.path("quant-blocks/blocks.safetensors"))) {
            float[] expected = blocks.require(goldenName(type) + ".values").floats();
            TernaryBlocks ternary = TernaryBlocks.of(golden(blocks, type, Shape.of(ROWS, COLUMNS)), ROWS, COLUMNS);
            byte[] trits = new byte[COLUMNS];
            for (int row = 0; row < ROWS; row++) {
                ternary.readTrits(row, trits, 0);
                for (int column = 0; column < COLUMNS; column++) {
                    float scale = ternary.scale(row, column / ternary.blockColumns());
                    assertThat(scale * trits[column])
                            .as("row %d, column %d", row, column)
                            .isEqualTo(expected[row * COLUMNS + column] + 0f);
                }
            }
        }
    }

    @Test
    void rowsOfI2SNeedNotBeWholeBlocks() throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GoldenFiles.path("quant-blocks/blocks.safetensors"))) {
            StoredTensor tensor = golden(blocks, ElementType.I2_S, Shape.of(32, 32));
            float[] expected = blocks.require("i2_s.values").floats();
            float[] row = new float[32];
            for (int r = 0; r < 32; r++) {
                tensor.readRow(r, row, 0);
                assertThat(row).isEqualTo(Arrays.copyOfRange(expected, 32 * r, 32 * r + 32));
            }
        }
    }

    @Test
    void scalesThatDifferAreKeptByBlock() throws Exception {
        byte[] bytes = new byte[4 * 18];
        Arrays.fill(bytes, (byte) 0b10_10_10_10);
        float[] scales = {0.5f, 0, 0.5f, 2};
        for (int block = 0; block < scales.length; block++) {
            putHalf(bytes, block * 18, scales[block]);
        }
        TernaryBlocks two = TernaryBlocks.of(tensor(ElementType.Q2_0, Shape.of(2, 128), bytes), 2, 128);
        assertThat(two.blockColumns()).isEqualTo(64);
        assertThat(two.blocks()).isEqualTo(2);
        assertThat(two.uniformScale()).isEmpty();
        assertThat(two.scale(0, 0)).isEqualTo(0.5f);
        assertThat(two.scale(0, 1)).isZero();
        assertThat(two.scale(1, 1)).isEqualTo(2);

        byte[] trits = new byte[128];
        two.readTrits(0, trits, 0);
        assertThat(Arrays.copyOf(trits, 64)).containsOnly(1);
        assertThat(Arrays.copyOfRange(trits, 64, 128)).containsOnly(0);

        putHalf(bytes, 3 * 18, 0.5f);
        TernaryBlocks one = TernaryBlocks.of(tensor(ElementType.Q2_0, Shape.of(2, 128), bytes), 2, 128);
        assertThat(one.uniformScale()).contains(0.5f);
    }

    @ParameterizedTest
    @CsvSource({"Q2_0, 18, 0, 2", "TQ2_0, 66, 64, 0"})
    void codeThreeIsAValueButNoTrit(ElementType type, int blockBytes, int scaleAt, int codesAt) throws Exception {
        byte[] bytes = new byte[blockBytes];
        putHalf(bytes, scaleAt, 0.25f);
        bytes[codesAt + 5] = (byte) 0b00_11_00_00;
        int columns = type.blockElements();
        StoredTensor tensor = tensor(type, Shape.of(1, columns), bytes);
        assertThat(tensor.floats()).contains(0.5f);
        TernaryBlocks ternary = TernaryBlocks.of(tensor, 1, columns);
        int column = type == ElementType.Q2_0 ? 22 : 69;
        assertThatThrownBy(() -> ternary.readTrits(0, new byte[columns], 0))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage("model.gguf: tensor t, row 0, column " + column + ": the " + type
                        + " code there stands for +2, which is no trit; the file is damaged or its weights are not"
                        + " ternary, get another one");
    }

    @Test
    void codeThreeOfI2SIsNoValue() {
        byte[] bytes = new byte[64];
        bytes[7] = (byte) 0b00_11_00_00;
        StoredTensor tensor = tensor(ElementType.I2_S, Shape.of(2, 64), bytes);
        assertThatThrownBy(tensor::floats)
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith("model.gguf: tensor t, row 0, column 39: the I2_S code there stands for +2");
    }

    @Test
    void floatsOfThreeValuesAreTernary() throws Exception {
        TernaryBlocks ternary = TernaryBlocks.of(floats(0.5f, 0, -0.5f, -0f), 2, 2);
        assertThat(ternary.uniformScale()).contains(0.5f);
        byte[] trits = new byte[4];
        ternary.readTrits(0, trits, 0);
        ternary.readTrits(1, trits, 2);
        assertThat(trits).containsExactly(1, 0, -1, 0);

        TernaryBlocks four = TernaryBlocks.of(floats(0.5f, 0, -0.5f, 0.25f), 2, 2);
        assertThatThrownBy(() -> four.readTrits(1, trits, 2))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(
                        "model.gguf: tensor t, row 1, column 1: expected 0, 0.5 or -0.5 in ternary F32 weights, found 0.25;"
                                + " Setun runs ternary weights, get the model as I2_S, TQ1_0, TQ2_0 or Q2_0");
    }

    @Test
    void matrixOfZerosHasScaleZero() throws Exception {
        assertThat(TernaryBlocks.of(floats(0, 0, 0, 0), 2, 2).uniformScale()).contains(0f);
    }

    @Test
    void scaleThatIsNotFiniteIsRefused() {
        byte[] bytes = new byte[4 * 18];
        putHalf(bytes, 3 * 18, Float.NaN);
        assertThatThrownBy(() -> TernaryBlocks.of(tensor(ElementType.Q2_0, Shape.of(2, 128), bytes), 2, 128))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(
                        "model.gguf: tensor t, row 1, block 1: expected a finite scale, found NaN; the file is damaged,"
                                + " download it again");
        assertThatThrownBy(() -> TernaryBlocks.of(floats(0, Float.NaN, 1, 1), 2, 2))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("expected a finite scale, found NaN");
    }

    @Test
    void typeWithoutTritsIsRefused() {
        StoredTensor tensor = tensor(ElementType.Q8_0, Shape.of(1, 32), new byte[34]);
        assertThatThrownBy(() -> TernaryBlocks.of(tensor, 1, 32))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith("model.gguf: tensor t: expected one of the ternary types")
                .hasMessageContaining("found Q8_0");
    }

    @Test
    void rowBeyondTheLastIsTheCallersFault() {
        StoredTensor tensor = tensor(ElementType.Q8_0, Shape.of(1, 32), new byte[34]);
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> tensor.readRow(1, new float[32], 0));
    }

    private static StoredTensor golden(Checkpoint blocks, ElementType type, Shape shape)
            throws CheckpointFormatException {
        MemorySegment raw = blocks.require(goldenName(type) + ".raw").bytes();
        return new StoredTensor("blocks.safetensors", "t", type, shape, raw);
    }

    private static String goldenName(ElementType type) {
        return switch (type) {
            case Q6_K -> "q6_K";
            case Q2_0_G128 -> "q2_0_g128";
            case F16 -> "f16";
            case BF16 -> "bf16";
            case Q4_0 -> "q4_0";
            case Q8_0 -> "q8_0";
            case TQ1_0 -> "tq1_0";
            case TQ2_0 -> "tq2_0";
            case I2_S -> "i2_s";
            case Q2_0 -> "q2_0";
            default -> throw new IllegalArgumentException("no golden blocks of " + type);
        };
    }

    private static StoredTensor tensor(ElementType type, Shape shape, byte[] bytes) {
        return new StoredTensor("model.gguf", "t", type, shape, MemorySegment.ofArray(bytes));
    }

    private static StoredTensor floats(float... values) {
        byte[] bytes = MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_BYTE);
        return tensor(ElementType.F32, Shape.of(2, values.length / 2), bytes);
    }

    private static void putHalf(byte[] bytes, int at, float value) {
        short half = Float.floatToFloat16(value);
        bytes[at] = (byte) half;
        bytes[at + 1] = (byte) (half >> 8);
    }
}
