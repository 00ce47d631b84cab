package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.architecture.TestCheckpoint.Tensor;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.TernaryPacking;
import org.setun.kernel.KernelSelection;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

final class TransformerRecipeTest {

    private static final String UP = "model.layers.1.mlp.up_proj.weight";

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"attention_bias":true} | attention_bias: expected false, as Setun runs linears without bias, found true
            {"mlp_bias":true} | mlp_bias: expected false, as Setun runs linears without bias, found true
            {"hidden_act":"gelu_new"} | hidden_act: expected "gelu" or "relu" or "relu2" or "silu" or "swish", found "gelu_new"
            {"num_key_value_heads":3} | num_key_value_heads: expected a divisor of num_attention_heads, 4, found 3
            {"head_dim":15} | head_dim: expected an even number, whose halves the rotary positions pair, found 15
            {"head_dim":null,"num_attention_heads":6} | num_attention_heads: expected heads that share hidden_size, 64, evenly and have at most 256, found 6
            {"quantization_config":{"quant_method":"gptq"}} | quantization_config.quant_method: expected "bitnet", found "gptq"
            {"quantization_config":{"quant_method":"bitnet","use_rms_norm":true}} | quantization_config.use_rms_norm: expected false, as Setun runs no norm of its own in front of the up projection, found true
            {"quantization_config":{"quant_method":"bitnet","linear_class":"linear"}} | quantization_config.linear_class: expected "bitlinear" or "autobitlinear", found "linear"
            {"quantization_config":{"quant_method":"bitnet","modules_to_not_convert":[]}} | quantization_config.modules_to_not_convert: expected a list that covers lm_head, as Setun runs no ternary head here, found []
            {"quantization_config":{"quant_method":"bitnet","modules_to_not_convert":["down_proj"]}} | quantization_config.modules_to_not_convert: expected a list that covers lm_head, as Setun runs no ternary head here, found ["down_proj"]
            {"quantization_config":{"quant_method":"bitnet","modules_to_not_convert":["lm_head","(?=a)"]}} | quantization_config.modules_to_not_convert: expected regular expressions as RE2 reads them, found ["lm_head","(?=a)"]
            """)
    void refusesWhatUpstreamRunsAndSetunDoesNot(String changes, String message) throws Exception {
        TestCheckpoint checkpoint = llama("packed");
        checkpoint.config.setAll((ObjectNode) JsonMapper.shared().readTree(changes));
        Path source = checkpoint.write(temporary.resolve("source"));

        assertThatThrownBy(() -> logits(source))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("config.json: " + message + "; ");
    }

    @Test
    void anEntryCoversModulesByAnExpressionAnchoredAtTheStartOrByTheirEnd() throws Exception {
        BitnetQuantization quantization = quantization("model.layers.1", "up_proj", "lm_head");

        assertThat(quantization.excludes("model.layers.1.self_attn.q_proj")).isTrue();
        assertThat(quantization.excludes("model.layers.10.self_attn.q_proj")).isTrue();
        assertThat(quantization.excludes("model.layers.2.self_attn.q_proj")).isFalse();
        assertThat(quantization.excludes("model.layers.2.mlp.up_proj")).isTrue();
        assertThat(quantization.excludes("model.layers.2.mlp.down_proj")).isFalse();
    }

    @Test
    void anExpressionThatBacktracksForEverIsReadAtOnce() throws Exception {
        BitnetQuantization quantization = quantization("(([a-z._0-9])*)*x", "lm_head");

        assertThat(quantization.excludes("model.layers.2.self_attn.q_proj.that.goes.on.and.on.and.on.and.on"))
                .isFalse();
    }

    private BitnetQuantization quantization(String... entries) throws Exception {
        TestCheckpoint checkpoint = llama("packed");
        checkpoint.config.withObject("quantization_config").putPOJO("modules_to_not_convert", List.of(entries));
        Path source = checkpoint.write(temporary.resolve("source"));
        return BitnetQuantization.read(ConfigObject.read(source.resolve("config.json")));
    }

    @Test
    void tritsStoredAsFloatsGiveTheBitsOfPackedOnes() throws Exception {
        TestCheckpoint checkpoint = llama("packed");
        float[] packed = logits(checkpoint.write(temporary.resolve("packed")));
        for (String name : List.copyOf(checkpoint.tensors.keySet())) {
            if (checkpoint.tensor(name).type() == ElementType.U8) {
                unpack(checkpoint, name);
            }
        }

        assertThat(logits(checkpoint.write(temporary.resolve("unpacked")))).isEqualTo(packed);
    }

    @Test
    void aFloatThatIsNoTritIsNamed() throws Exception {
        TestCheckpoint checkpoint = llama("packed");
        unpack(checkpoint, UP);
        ByteBuffer.wrap(checkpoint.tensor(UP).bytes())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(4 * (64 * 3 + 7), 0.5f);
        Path source = checkpoint.write(temporary.resolve("source"));

        assertThatThrownBy(() -> logits(source))
                .hasMessageContaining("tensor " + UP
                        + ", row 3, column 7: expected -1, 0 or 1, as config.json says that the weights are ternary"
                        + " already, found 0.5");
    }

    @Test
    void rowsThatAPackerAddedAreLeftOut() throws Exception {
        TestCheckpoint checkpoint = llama("packed");
        checkpoint.config.put("intermediate_size", 126);
        for (int layer = 0; layer < 3; layer++) {
            String prefix = "model.layers." + layer + ".mlp.";
            // The 126 columns of the down projection are the first of each row; gate and up keep two rows too many.
            Tensor down = checkpoint.tensor(prefix + "down_proj.weight");
            byte[] narrow = new byte[16 * 126];
            for (int row = 0; row < 16; row++) {
                System.arraycopy(down.bytes(), row * 128, narrow, row * 126, 126);
            }
            checkpoint.tensors.put(prefix + "down_proj.weight", new Tensor(ElementType.U8, Shape.of(16, 126), narrow));
        }
        float[] packed = logits(checkpoint.write(temporary.resolve("packed")));
        for (int layer = 0; layer < 3; layer++) {
            for (String name : List.of("gate_proj", "up_proj")) {
                String weight = "model.layers." + layer + ".mlp." + name + ".weight";
                unpack(checkpoint, weight);
                byte[] rows = Arrays.copyOf(checkpoint.tensor(weight).bytes(), 126 * 64 * Float.BYTES);
                checkpoint.tensors.put(weight, new Tensor(ElementType.F32, Shape.of(126, 64), rows));
            }
        }

        assertThat(logits(checkpoint.write(temporary.resolve("exact")))).isEqualTo(packed);
    }

    @ParameterizedTest
    @CsvSource({"0", "-1", "NaN", "1e-45"})
    void refusesAScaleThatIsNone(float scale) throws Exception {
        TestCheckpoint checkpoint = llama("packed-divide");
        ByteBuffer bytes =
                ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(scale);
        checkpoint.tensors.put(UP + "_scale", new Tensor(ElementType.F32, Shape.of(1), bytes.array()));
        Path source = checkpoint.write(temporary.resolve("source"));

        assertThatThrownBy(() -> logits(source))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("tensor " + UP + "_scale")
                .hasMessageContaining("found " + scale);
    }

    @Test
    void withoutAQuantizationItIsAFloatModel() throws Exception {
        TestCheckpoint checkpoint = llama("online");
        checkpoint.config.remove("quantization_config");
        ModelReport report = ModelInspector.inspect(
                checkpoint.write(temporary.resolve("source")), KernelSelection.layout(), LoadProgress.NONE);

        assertThat(report.obstacle()).isEmpty();
        assertThat(report.ternary()).isEmpty();
        assertThat(report.composition()).singleElement().asString().endsWith(", all linears float");
    }

    @Test
    void packedWeightsWithoutAQuantizationAreRefused() throws Exception {
        TestCheckpoint checkpoint = llama("packed");
        checkpoint.config.remove("quantization_config");
        Path source = checkpoint.write(temporary.resolve("source"));

        assertThatThrownBy(() -> logits(source))
                .hasMessageContaining("expected floats, since config.json has no quantization_config, found U8");
    }

    @Test
    void aTiedModelMayStoreItsHeadTwice() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("bitnet-tiny-packed"));
        float[] once = logits(checkpoint.write(temporary.resolve("once")));
        checkpoint.tensors.put("lm_head.weight", checkpoint.tensor("model.embed_tokens.weight"));

        assertThat(logits(checkpoint.write(temporary.resolve("twice")))).isEqualTo(once);
    }

    private static TestCheckpoint llama(String name) throws Exception {
        return TestCheckpoint.read(GoldenData.directory("llama-bitnet-tiny/" + name));
    }

    /** Replaces a packed tensor by its trits as F32. */
    private void unpack(TestCheckpoint checkpoint, String name) throws Exception {
        Tensor packed = checkpoint.tensor(name);
        int rows = (int) packed.shape().dimension(0) * 4;
        int columns = (int) packed.shape().dimension(1);
        ByteBuffer floats = ByteBuffer.allocate(rows * columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (Checkpoint stored = Checkpoint.open(checkpoint.write(temporary.resolve("unpack")))) {
            byte[] trits = new byte[columns];
            for (int row = 0; row < rows; row++) {
                TernaryPacking.U2_ROWS.unpackRow(stored.require(name), rows, columns, row, trits, 0);
                for (byte trit : trits) {
                    floats.putFloat(trit);
                }
            }
        }
        checkpoint.tensors.put(name, new Tensor(ElementType.F32, Shape.of(rows, columns), floats.array()));
    }

    private static float[] logits(Path directory) throws Exception {
        return GoldenModelTest.logits(directory, "scalar", 1);
    }
}
