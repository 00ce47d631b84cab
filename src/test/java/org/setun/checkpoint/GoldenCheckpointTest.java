package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.Shape;

final class GoldenCheckpointTest {

    private static final int VOCAB = 256;
    private static final int HIDDEN = 64;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mmfree-tiny/f32",
                "mmfree-tiny/bf16",
                "mmfree-tiny/f32/composable",
                "mmfree-tiny/bf16/composable",
                "mmfree-small-activations/bf16"
            })
    void everyTensorOfEveryGoldenCheckpointReads(String name) throws Exception {
        Path directory = GoldenFiles.path(name + "/config.json").resolveSibling("");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.location()).isEqualTo(directory.toString());
            assertThat(checkpoint.tensors()).hasSizeGreaterThan(30);
            for (StoredTensor tensor : checkpoint.tensors()) {
                if (tensor.type() != ElementType.U8) {
                    assertThat(tensor.floats()).as(tensor.where()).doesNotContain(Float.NaN);
                }
                assertThat(checkpoint.find(tensor.name())).contains(tensor);
            }
            checkpoint.requireAllUsed();
        }
    }

    @Test
    void namesTypesAndShapesAreThoseOfTheFile() throws Exception {
        try (Checkpoint checkpoint = Checkpoint.open(GoldenFiles.path("mmfree-tiny/bf16/model.safetensors"))) {
            StoredTensor embeddings = checkpoint.require("model.embeddings.weight", Shape.of(VOCAB, HIDDEN));
            assertThat(embeddings.type()).isEqualTo(ElementType.BF16);
            assertThat(embeddings.bytes().byteSize()).isEqualTo(2L * VOCAB * HIDDEN);
            assertThat(embeddings.bytes().isReadOnly()).isTrue();
            assertThat(checkpoint.metadata()).containsEntry("format", "pt");
        }
    }

    @ParameterizedTest
    @CsvSource({"F16, f16", "BF16, bf16"})
    void halfPrecisionDecodesToTheGoldenValues(ElementType type, String name) throws Exception {
        try (Checkpoint blocks = Checkpoint.open(GoldenFiles.path("quant-blocks/blocks.safetensors"))) {
            MemorySegment raw = blocks.require(name + ".raw").bytes();
            StoredTensor tensor = new StoredTensor("blocks.safetensors", name, type, Shape.of(32, 32), raw);
            float[] expected = blocks.require(name + ".values").floats();

            assertThat(tensor.floats()).isEqualTo(expected);

            FloatMatrix matrix = tensor.floatMatrix(32, 32);
            float[] rows = new float[expected.length];
            for (int row = 0; row < matrix.rows(); row++) {
                matrix.readRow(row, rows, row * matrix.columns());
            }
            assertThat(rows).isEqualTo(expected);
        }
    }
}
