package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.setun.architecture.TestCheckpoint.Tensor;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.TernaryPacking;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import org.setun.tensor.TernaryLayout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Checks models of the architecture {@code llama} in GGUF files against the checkpoints that the files are made of. */
final class LlamaGgufTest {

    private static final int SEED = 158;
    private static final int WIDTH = 256;
    private static final int KEY_WIDTH = 64;
    private static final String KEYS = "blk.1.attn_k.weight";

    /** Exact in every type: each block of a query or key projection has a quarter, half or whole of its matrix's scale. */
    private static final LlamaGguf.Scales OF_BLOCKS =
            (name, stored, row, block) -> name.matches(".*[qk]_proj.*") ? stored * factor(row, block) : stored;

    @TempDir
    private Path temporary;

    private static float factor(int row, int block) {
        return Math.scalb(1f, -(row + block) % 3);
    }

    @ParameterizedTest
    @EnumSource(names = {"I2_S", "Q2_0", "F32", "F16", "BF16"})
    void reproducesTheLogitsAndTheGreedyContinuation(ElementType type) throws Exception {
        Path golden = GoldenData.directory("llama-bitnet-tiny/packed");
        Path file = LlamaGguf.of(golden, type).write(temporary.resolve("model.gguf"));

        GoldenModelTest.assertReproduces(golden, file, "scalar", 1);
        GoldenModelTest.assertReproduces(golden, file, "auto", 2);
    }

    @Test
    void reproducesTheLogitsAndTheGreedyContinuationOfDividedFrequencies() throws Exception {
        Path golden = GoldenData.directory("llama-bitnet-tiny/packed-llama3");
        LlamaGguf gguf = LlamaGguf.of(golden, ElementType.I2_S);
        Path file = gguf.write(temporary.resolve("model.gguf"));
        GoldenModelTest.assertReproduces(golden, file, "auto", 2);

        gguf.tensors.remove("rope_freqs.weight");
        assertThat(logits(gguf.write(temporary.resolve("undivided.gguf")))).isNotEqualTo(logits(file));
    }

    @ParameterizedTest
    @EnumSource(names = {"I2_S", "Q2_0", "Q2_0_G128", "TQ1_0", "TQ2_0", "F32", "F16", "BF16"})
    void givesTheBitsOfTheCheckpointThatItIsMadeOf(ElementType type) throws Exception {
        TestCheckpoint wide = wide();
        Path own = wide.write(temporary.resolve("own"));
        Path file = LlamaGguf.of(own, type).write(temporary.resolve("own.gguf"));
        assertThat(logits(file)).isEqualTo(logits(own));

        wide.config.put("tie_word_embeddings", true);
        wide.tensors.remove("lm_head.weight");
        Path tied = wide.write(temporary.resolve("tied"));
        file = LlamaGguf.of(tied, type).write(temporary.resolve("tied.gguf"));
        assertThat(logits(file)).isEqualTo(logits(tied)).isNotEqualTo(logits(own));
    }

    @ParameterizedTest
    @EnumSource(names = {"Q2_0", "Q2_0_G128", "TQ1_0", "TQ2_0"})
    void scalesOfBlocksFollowTheirRows(ElementType type) throws Exception {
        Path source = wide().write(temporary.resolve("source"));
        Path file = LlamaGguf.of(source, type, OF_BLOCKS).write(temporary.resolve("model.gguf"));
        Path converted = temporary.resolve("converted");
        CheckpointConverter.convert(source, converted, new ConvertOptions(TernaryPacking.U2_ROWS), LoadProgress.NONE);
        TestCheckpoint scaled = TestCheckpoint.read(converted);
        for (String name : List.copyOf(scaled.tensors.keySet())) {
            if (name.matches(".*[qk]_proj.weight_scale")) {
                int rows = name.contains("q_proj") ? WIDTH : KEY_WIDTH;
                int blocks = WIDTH / type.blockElements();
                float stored = floats(scaled.tensor(name)).getFloat();
                float[] scales = new float[rows * blocks];
                for (int i = 0; i < scales.length; i++) {
                    scales[i] = stored * factor(i / blocks, i % blocks);
                }
                scaled.tensors.put(
                        name,
                        new Tensor(
                                ElementType.F32, Shape.of(rows, blocks), FloatEncoder.encode(scales, ElementType.F32)));
            }
        }

        assertThat(logits(file))
                .isEqualTo(logits(scaled.write(temporary.resolve("scaled"))))
                .isNotEqualTo(logits(source));
    }

    @ParameterizedTest
    @EnumSource(TernaryPacking.class)
    void aConvertedModelGivesTheBitsOfItsSource(TernaryPacking packing) throws Exception {
        Path golden = GoldenData.directory("llama-bitnet-tiny/packed-llama3");
        LlamaGguf gguf = LlamaGguf.of(golden, ElementType.Q2_0, OF_BLOCKS);
        gguf.keys.put("llama.rope.scaling.type", "yarn");
        gguf.keys.put("llama.rope.scaling.factor", 4f);
        Path file = gguf.write(temporary.resolve("model.gguf"));
        ConvertOptions options = new ConvertOptions(packing);
        Path converted = temporary.resolve("converted");
        CheckpointConverter.convert(file, converted, options, LoadProgress.NONE);
        Path again = temporary.resolve("again");
        CheckpointConverter.convert(converted, again, options, LoadProgress.NONE);

        assertThat(logits(converted)).isEqualTo(logits(file));
        for (String name : List.of("model.safetensors", "config.json")) {
            assertThat(again.resolve(name)).hasSameBinaryContentAs(converted.resolve(name));
        }
    }

    @Test
    void aConvertedModelStillReproducesTheLogitsOfDividedFrequencies() throws Exception {
        Path golden = GoldenData.directory("llama-bitnet-tiny/packed-llama3");
        Path file = LlamaGguf.of(golden, ElementType.I2_S).write(temporary.resolve("model.gguf"));
        Path converted = temporary.resolve("converted");
        CheckpointConverter.convert(file, converted, new ConvertOptions(TernaryPacking.B3), LoadProgress.NONE);

        GoldenModelTest.assertReproduces(golden, converted, "auto", 2);
        JsonNode config = JsonMapper.shared().readTree(converted.resolve("config.json"));
        JsonNode scaling = config.at("/layers/0/mixer/rope_scaling");
        assertThat(scaling.get("rope_type").stringValue()).isEqualTo("default");
        assertThat(scaling.get("freq_factors").valueStream().mapToDouble(JsonNode::doubleValue))
                .hasSize(8)
                .startsWith(1.0)
                .endsWith(8.0);
    }

    @Test
    void isInspectedAsItIsLoaded() throws Exception {
        Path golden = GoldenData.directory("llama-bitnet-tiny/packed-llama3");
        Path file = LlamaGguf.of(golden, ElementType.I2_S).write(temporary.resolve("model.gguf"));
        ModelReport report = ModelInspector.inspect(file, new TernaryLayout.Cells(), LoadProgress.NONE);
        long[] last = new long[2];
        LoadedModel loaded = ModelLoader.load(
                file, KernelSelection.select("scalar", 1), LoadOptions.of(KeyValueFormat.F32), (name, done, total) -> {
                    last[0] = done;
                    last[1] = total;
                });
        loaded.model().close();

        assertThat(report.obstacle()).isEmpty();
        assertThat(report.family()).isEqualTo("llama");
        assertThat(report.composition())
                .containsExactly("3 x attention (4 heads of 16, 2 for keys and values), gated MLP (128, silu)");
        assertThat(report.ternary())
                .containsExactlyInAnyOrderElementsOf(loaded.report().ternary());
        assertThat(report.ternary())
                .isEqualTo(ModelInspector.inspect(golden, KernelSelection.layout(), LoadProgress.NONE)
                        .ternary());
        assertThat(report.loadedBytes()).isEqualTo(loaded.report().loadedBytes());
        assertThat(last[0]).isEqualTo(last[1]);
    }

    @Test
    void aFactorOfPositionsWithoutATypeScalesLinearly() throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        float[] unscaled = logits(gguf.write(temporary.resolve("unscaled.gguf")));
        gguf.keys.put("llama.rope.scaling.factor", 4f);
        float[] scaled = logits(gguf.write(temporary.resolve("factor.gguf")));
        gguf.keys.put("llama.rope.scaling.type", "linear");
        assertThat(logits(gguf.write(temporary.resolve("linear.gguf")))).isEqualTo(scaled);
        gguf.keys.put("llama.rope.scaling.type", "none");
        assertThat(logits(gguf.write(temporary.resolve("none.gguf")))).isEqualTo(unscaled);

        gguf.keys.remove("llama.rope.scaling.factor");
        gguf.putRopeFreqs(4, 4, 4, 4, 4, 4, 4, 4);
        assertThat(logits(gguf.write(temporary.resolve("factors.gguf")))).isEqualTo(scaled);
    }

    @ParameterizedTest
    @CsvSource({
        "llama.expert_count,8,'0, as Setun runs no mixtures of experts here'",
        "llama.rope.dimension_count,8,'the width of a head, 16'",
        "llama.attention.value_length,8,'the width of a head, 16'",
        "llama.attention.head_count_kv,3,a divisor of the 4 heads",
        "llama.rope.scaling.type,longrope,'none, linear or yarn'"
    })
    void refusesMetadataThatItDoesNotRun(String key, String value, String expected) throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        gguf.keys.put(key, value.matches("\\d+") ? (Object) Integer.valueOf(value) : value);

        assertRefused(gguf, "metadata " + key + ": expected " + expected + ", found " + value + "; ");
    }

    @ParameterizedTest
    @CsvSource({"0", "-1", "NaN", "Infinity", "1e-7"})
    void refusesAFactorOfFrequenciesThatIsNone(float factor) throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        gguf.putRopeFreqs(1, 1, factor, 1, 1, 1, 1, 1);

        assertRefused(
                gguf,
                "tensor rope_freqs.weight, element 2: expected a number from 1.0E-6 to 3.4028234663852886E38, found ");
    }

    @Test
    void refusesFactorsOfFrequenciesOfAnotherShapeOrType() throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        gguf.putRopeFreqs(1, 1, 1, 1);
        assertRefused(gguf, "tensor rope_freqs.weight: expected [8], found [4]; ");

        gguf.tensors.put("rope_freqs.weight", new Tensor(ElementType.F16, Shape.of(8), new byte[16]));
        assertRefused(gguf, "tensor rope_freqs.weight: expected F32, found F16; ");
    }

    @Test
    void refusesFactorsOfFrequenciesWhereLlamaCppHasNone() throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed-llama3"), ElementType.I2_S);
        for (String key : List.copyOf(gguf.keys.keySet())) {
            gguf.keys.put(key.replace("llama.", "bitnet."), gguf.keys.get(key));
        }
        gguf.keys.put("general.architecture", "bitnet");
        for (int layer = 0; layer < 3; layer++) {
            gguf.tensors.put("blk." + layer + ".attn_sub_norm.weight", zeros(ElementType.F32, 64));
            gguf.tensors.put("blk." + layer + ".ffn_sub_norm.weight", zeros(ElementType.F32, 128));
        }

        assertRefused(gguf, "a tensor that the model does not have: rope_freqs.weight");
    }

    @ParameterizedTest
    @CsvSource({"attn_q.bias, 64", "attn_sub_norm.weight, 64", "attn_rot_embd, 16"})
    void refusesATensorThatTheModelDoesNotHave(String name, int length) throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        gguf.tensors.put("blk.0." + name, zeros(ElementType.F32, length));

        assertRefused(gguf, "a tensor that the model does not have: blk.0." + name);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0"})
    void namesALinearThatIsNotTernaryItsTypeAndWhatWouldRun(ElementType type) throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        gguf.tensors.put(KEYS, zeros(type, 32, 64));

        assertRefused(
                gguf,
                "tensor " + KEYS + ": expected one of the ternary types I2_S, TQ1_0, TQ2_0 and Q2_0, or F32, F16 or"
                        + " BF16 with three values, found " + type
                        + "; Setun runs ternary weights, get the model as I2_S, TQ1_0, TQ2_0 or Q2_0");
    }

    @Test
    void namesAFloatLinearWhoseValuesAreNotTernary() throws Exception {
        LlamaGguf gguf = LlamaGguf.of(GoldenData.directory("llama-bitnet-tiny/packed"), ElementType.I2_S);
        float[] values = new float[32 * 64];
        Arrays.fill(values, 0.5f);
        values[7] = 0.25f;
        gguf.tensors.put(
                KEYS, new Tensor(ElementType.F16, Shape.of(32, 64), FloatEncoder.encode(values, ElementType.F16)));

        assertRefused(
                gguf,
                "tensor " + KEYS + ", row 0, column 7: expected 0, 0.5 or -0.5 in ternary F16 weights, found 0.25;"
                        + " Setun runs ternary weights, get the model as I2_S, TQ1_0, TQ2_0 or Q2_0");
    }

    private void assertRefused(LlamaGguf gguf, String message) throws Exception {
        Path file = gguf.write(temporary.resolve("refused.gguf"));

        assertThatThrownBy(() -> logits(file))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining(message);
        assertThatThrownBy(() -> CheckpointConverter.convert(
                        file,
                        temporary.resolve("converted"),
                        new ConvertOptions(TernaryPacking.U2_ROWS),
                        LoadProgress.NONE))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining(message);
        assertThat(ModelInspector.inspect(file, KernelSelection.layout(), LoadProgress.NONE)
                        .obstacle())
                .hasValueSatisfying(reason -> assertThat(reason).contains(message));
        Files.delete(file);
    }

    /** Returns a model of random weights whose rows fill the blocks of every type. */
    private static TestCheckpoint wide() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("llama-bitnet-tiny/packed"));
        checkpoint.config.put("hidden_size", WIDTH).put("intermediate_size", 2 * WIDTH);
        checkpoint
                .config
                .put("num_attention_heads", 8)
                .put("num_key_value_heads", 2)
                .put("num_hidden_layers", 2);
        SplittableRandom random = new SplittableRandom(SEED);
        for (String name : List.copyOf(checkpoint.tensors.keySet())) {
            Tensor tensor = checkpoint.tensor(name);
            if (name.contains(".layers.2.")) {
                checkpoint.tensors.remove(name);
            } else if (tensor.type() == ElementType.U8) {
                int rows = name.matches(".*(gate|up)_proj.*")
                        ? 2 * WIDTH
                        : name.matches(".*[kv]_proj.*") ? KEY_WIDTH : WIDTH;
                int columns = name.contains("down_proj") ? 2 * WIDTH : WIDTH;
                byte[] bytes = new byte[rows / 4 * columns];
                for (int i = 0; i < bytes.length; i++) {
                    for (int field = 0; field < 4; field++) {
                        bytes[i] |= (byte) (random.nextInt(3) << (2 * field));
                    }
                }
                checkpoint.tensors.put(name, new Tensor(ElementType.U8, Shape.of(rows / 4, columns), bytes));
            } else if (!name.endsWith("_scale")) {
                Shape shape = tensor.shape().rank() == 1
                        ? Shape.of(WIDTH)
                        : Shape.of(tensor.shape().dimension(0), WIDTH);
                float[] values = new float[(int) shape.elements()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextDouble(-1, 1);
                }
                checkpoint.tensors.put(
                        name, new Tensor(ElementType.BF16, shape, FloatEncoder.encode(values, ElementType.BF16)));
            }
        }
        return checkpoint;
    }

    private static Tensor zeros(ElementType type, long... extents) {
        Shape shape = Shape.of(extents);
        return new Tensor(type, shape, new byte[(int) type.storedBytes(shape.elements())]);
    }

    private static ByteBuffer floats(Tensor tensor) {
        return ByteBuffer.wrap(tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static float[] logits(Path path) throws Exception {
        return GoldenModelTest.logits(path, "scalar", 1);
    }
}
