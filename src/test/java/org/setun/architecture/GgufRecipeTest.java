package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.TernaryPacking;
import org.setun.kernel.KernelSelection;
import org.setun.model.BlockScaledLinear;
import org.setun.model.KeyValueFormat;
import org.setun.model.TernaryModel;
import org.setun.tensor.ElementType;

final class GgufRecipeTest {

    private static final int TQ2_0_BYTES = 66;
    private static final String QUERY = "blk.0.attn_q.weight";

    @TempDir
    private Path temporary;

    @Test
    void scalesThatDifferFromBlockToBlockArePartOfTheModel() throws Exception {
        Path file = withBlockScales();
        var kernels = KernelSelection.select("scalar", 2);
        TernaryModel model = ModelLoader.load(file, kernels, LoadOptions.of(KeyValueFormat.F32), LoadProgress.NONE)
                .model();

        assertThat(model.blocks().get(0).mixer().linears().getFirst()).isInstanceOf(BlockScaledLinear.class);
        model.close();
        assertThat(GoldenModelTest.logits(file, "scalar", 1))
                .isNotEqualTo(GoldenModelTest.logits(golden(), "scalar", 1));
        for (String kernel : List.of("auto", "vector-128")) {
            assertThat(GoldenModelTest.logits(file, kernel, 3)).isEqualTo(GoldenModelTest.logits(file, "scalar", 1));
        }
    }

    @ParameterizedTest
    @EnumSource(TernaryPacking.class)
    void convertingKeepsScalesThatDifferFromBlockToBlock(TernaryPacking packing) throws Exception {
        Path file = withBlockScales();
        Path converted = temporary.resolve("converted");
        CheckpointConverter.convert(file, converted, new ConvertOptions(packing, ElementType.F32), LoadProgress.NONE);
        Path again = temporary.resolve("again");
        CheckpointConverter.convert(converted, again, new ConvertOptions(packing, ElementType.F32), LoadProgress.NONE);

        assertThat(GoldenModelTest.logits(converted, "scalar", 1)).isEqualTo(GoldenModelTest.logits(file, "scalar", 1));
        assertThat(again.resolve("model.safetensors")).hasSameBinaryContentAs(converted.resolve("model.safetensors"));
        ModelReport report = ModelInspector.inspect(converted, KernelSelection.layout(), LoadProgress.NONE);
        assertThat(report.ternary())
                .isEqualTo(ModelInspector.inspect(file, KernelSelection.layout(), LoadProgress.NONE)
                        .ternary());
    }

    @Test
    void refusesAnotherArchitecture() throws Exception {
        byte[] bytes = Files.readAllBytes(golden());
        // Another length would move all offsets.
        byte[] other = "llama-alike!".getBytes(StandardCharsets.UTF_8);
        int at = indexOf(bytes, "bitnet-b1.58".getBytes(StandardCharsets.UTF_8));
        System.arraycopy(other, 0, bytes, at, other.length);
        Path file = Files.write(temporary.resolve("other.gguf"), bytes);

        String message =
                "metadata general.architecture: expected one of bitnet, bitnet-25, bitnet-b1.58, llama, of which"
                        + " Setun runs GGUF files, found llama-alike!; ";
        assertThatThrownBy(() -> GoldenModelTest.logits(file, "scalar", 1))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining(message);
        assertThat(ModelInspector.inspect(file, KernelSelection.layout(), LoadProgress.NONE)
                        .obstacle())
                .hasValueSatisfying(reason -> assertThat(reason).contains(message));
    }

    @ParameterizedTest
    @CsvSource({
        "attention.head_count,0,1 to 4096",
        "attention.head_count_kv,3,a divisor of the 4 heads",
        "rope.dimension_count,32,'the width of a head, 64'",
        "embedding_length,2000000000,1 to 1048576",
        "block_count,0,1 to 4096"
    })
    void refusesSizesThatNoModelHas(String name, int value, String expected) throws Exception {
        byte[] bytes = Files.readAllBytes(golden());
        byte[] key = ("bitnet-b1.58." + name).getBytes(StandardCharsets.UTF_8);
        int at = indexOf(bytes, key) + key.length + Integer.BYTES;
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        Path file = Files.write(temporary.resolve("damaged.gguf"), bytes);

        assertThatThrownBy(() -> GoldenModelTest.logits(file, "scalar", 1))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("metadata bitnet-b1.58." + name + ": expected " + expected + ", found " + value);
    }

    private static Path golden() {
        return GoldenData.path("bitnet-tiny-packed/model-tq2_0.gguf");
    }

    /** Gives every block of one matrix a scale of its own. */
    private Path withBlockScales() throws Exception {
        byte[] tensor;
        try (Checkpoint checkpoint = Checkpoint.open(golden())) {
            tensor = checkpoint.require(QUERY).bytes().toArray(ValueLayout.JAVA_BYTE);
        }
        byte[] bytes = Files.readAllBytes(golden());
        int at = indexOf(bytes, tensor);
        SplittableRandom random = new SplittableRandom(5);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int end = TQ2_0_BYTES; end <= tensor.length; end += TQ2_0_BYTES) {
            buffer.putShort(at + end - Short.BYTES, Float.floatToFloat16((float) random.nextDouble(0.01, 0.05)));
        }
        return Files.write(temporary.resolve("block-scales.gguf"), bytes);
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(new String(part, StandardCharsets.ISO_8859_1));
        assertThat(at).isNotNegative();
        return at;
    }
}
