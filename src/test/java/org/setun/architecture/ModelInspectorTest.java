package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.Block;
import org.setun.model.KeyValueFormat;
import org.setun.model.TokenMixer;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import org.setun.tensor.TernaryColumns;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ModelInspectorTest {

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mmfree-tiny/f32",
                "mmfree-tiny/bf16",
                "mmfree-switches/tied",
                "mmfree-switches/shared-convolution",
                "mmfree-switches/separate-convolution",
                "composed-switches/float-tied",
                "bitnet-tiny-online/bf16",
                "bitnet-tiny-packed/model-tq1_0.gguf",
                "llama-bitnet-tiny/packed-mixed",
                "composed-tiny/glu-topk",
                "composed-tiny/peer",
                "composed-tiny/peer-block-topk"
            })
    void reportsWhatALoadedModelReports(String name) throws Exception {
        Path directory = GoldenData.path(name);
        Kernels kernels = KernelSelection.select(KernelSelection.AUTO, 2);
        ModelReport report = ModelInspector.inspect(directory, kernels.layout(), LoadProgress.NONE);

        LoadedModel loaded =
                ModelLoader.load(directory, kernels, LoadOptions.of(KeyValueFormat.F32), LoadProgress.NONE);
        List<TokenMixer> mixers =
                loaded.model().blocks().stream().map(Block::mixer).toList();
        loaded.model().close();
        assertThat(report.sequence())
                .isEqualTo(new ModelReport.Sequence(
                        mixers.stream().mapToLong(TokenMixer::stateBytes).sum(),
                        mixers.stream().mapToLong(mixer -> mixer.pageBytes(1)).sum(),
                        KeyValueFormat.F32));
        assertThat(report.ternary())
                .containsExactlyInAnyOrderElementsOf(loaded.report().ternary());
        assertThat(report.loadedBytes()).isEqualTo(loaded.report().loadedBytes());
        assertThat(report.parameters()).isEqualTo(loaded.report().parameters());
        assertThat(report.stored()).isEqualTo(loaded.report().stored());
    }

    @Test
    void countsTheZerosThatTheReferenceCounts() throws Exception {
        Path directory = GoldenData.directory("mmfree-tiny/bf16");
        ModelReport report = ModelInspector.inspect(directory, KernelSelection.layout(), LoadProgress.NONE);

        JsonNode expected =
                JsonMapper.shared().readTree(directory.resolve("expected.json")).get("ternary");
        assertThat(zeros(report, "lm_head")).isEqualTo(zeros(expected, "lm_head.weight"));
        for (int layer = 0; layer < 3; layer++) {
            String prefix = "model.layers." + layer + ".";
            assertThat(zeros(report, prefix + "mixer.f_proj"))
                    .isEqualTo(zeros(expected, prefix + "attn.f_proj.weight"));
            assertThat(zeros(report, prefix + "channel.gate_proj") + zeros(report, prefix + "channel.up_proj"))
                    .isEqualTo(zeros(expected, prefix + "mlp.gate_proj.weight"));
        }
    }

    @Test
    void countsTheWeightsThatSparseLayersKeepByColumnsAsWell() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("composed-tiny/glu-topk"));
        ModelReport sparse = ModelInspector.inspect(
                checkpoint.write(temporary.resolve("sparse")), KernelSelection.layout(), LoadProgress.NONE);
        checkpoint.config.putObject("sparsity").put("kind", "none");
        ModelReport dense = ModelInspector.inspect(
                checkpoint.write(temporary.resolve("dense")), KernelSelection.layout(), LoadProgress.NONE);

        long byColumns = sparse.ternary().stream()
                .filter(matrix -> !matrix.name().equals("lm_head"))
                .mapToLong(matrix -> TernaryColumns.packedBytes(matrix.rows(), matrix.columns()))
                .sum();
        assertThat(sparse.loadedBytes()).isEqualTo(dense.loadedBytes() + byColumns);
    }

    private static long zeros(ModelReport report, String name) {
        return report.ternary().stream()
                .filter(ternary -> ternary.name().equals(name))
                .findFirst()
                .orElseThrow()
                .zeros();
    }

    private static long zeros(JsonNode expected, String name) {
        return expected.get(name).get("zero").longValue();
    }

    @Test
    void describesTheCheckpoint() throws Exception {
        ModelReport report = ModelInspector.inspect(
                GoldenData.directory("mmfree-tiny/bf16"), KernelSelection.layout(), LoadProgress.NONE);

        assertThat(report.family()).isEqualTo("hgrn_bit");
        assertThat(report.architecture()).isEqualTo("HGRNBitForCausalLM");
        assertThat(report.layers()).isEqualTo(3);
        assertThat(report.parameters()).isEqualTo(report.storedBytes() / ElementType.BF16.bytes());
        assertThat(report.obstacle()).isEmpty();
        assertThat(report.stored())
                .contains(new ModelReport.Stored(
                        "model.layers.0.mlp.gate_proj.weight", ElementType.BF16, Shape.of(512, 64), 65_536));
        assertThat(report.zeroFraction()).isCloseTo(0.31, within(0.01));
    }

    @Test
    void reportsAnUnknownFamilyByItsTensors() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16"));
        checkpoint.config.put("model_type", "mamba");
        checkpoint.tensors.clear();
        checkpoint.put("model.layers.0.mlp.up_proj.weight", ElementType.U8, 16, 64);
        checkpoint.put("model.norm.weight", ElementType.BF16, 64);
        ModelReport report =
                ModelInspector.inspect(checkpoint.write(temporary), KernelSelection.layout(), LoadProgress.NONE);

        assertThat(report.obstacle())
                .hasValueSatisfying(reason -> assertThat(reason).contains("found \"mamba\""));
        assertThat(report.parameters()).isEqualTo(4 * 16 * 64 + 64);
        assertThat(report.stored()).hasSize(2);
    }

    @Test
    void reportsWhatIsWrongWithADamagedCheckpoint() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16"));
        checkpoint.put("model.layers.3.attn_norm.weight", ElementType.F32, 64);
        ModelReport report =
                ModelInspector.inspect(checkpoint.write(temporary), KernelSelection.layout(), LoadProgress.NONE);

        assertThat(report.obstacle())
                .hasValueSatisfying(reason -> assertThat(reason)
                        .contains("a tensor that the model does not have: model.layers.3.attn_norm.weight"));
        assertThat(report.stored()).hasSize(checkpoint.tensors.size());
    }

    @Test
    void readsNoConfigurationBeyondAllMeasure() throws Exception {
        Path directory =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary);
        Files.writeString(directory.resolve("config.json"), " ".repeat((16 << 20) + 1));

        assertThatThrownBy(() -> ModelInspector.inspect(directory, KernelSelection.layout(), LoadProgress.NONE))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(directory.resolve("config.json") + ": expected at most 16777216 bytes, found 16777217;"
                        + " correct the file or download it again");
    }
}
