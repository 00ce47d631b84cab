package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.Activation;
import org.setun.model.Score;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

final class ConfigurationTest {

    private static final String REMEDY = "; correct the file or download it again";

    private static final String ABSENT = "";

    @TempDir
    private Path temporary;

    @Test
    void readsTheConfigurationOfTheMatMulFreeModel() throws Exception {
        ModelSpec spec = spec(GoldenData.directory("mmfree-tiny/f32").resolve("config.json"));

        assertThat(spec.vocabSize()).isEqualTo(256);
        assertThat(spec.hiddenSize()).isEqualTo(64);
        assertThat(spec.inputNormEpsilon()).contains(1e-6);
        assertThat(spec.head()).isEqualTo(new ModelSpec.HeadSpec.Own(LinearStorage.ONLINE));
        assertThat(spec.layers()).hasSize(3).allSatisfy(layer -> {
            assertThat(layer.mixer()).isEqualTo(new MixerSpec.Mlgru(1, 1, true, Optional.empty()));
            assertThat(layer.channel()).isEqualTo(new ChannelSpec.Glu(256, Activation.SILU, false));
        });
    }

    @ParameterizedTest
    @CsvSource({"1024,2816", "2048,5632", "2560,6912"})
    void intermediateSizesAreThoseOfThePublishedModels(int hiddenSize, int intermediateSize) throws Exception {
        ModelSpec spec = spec(
                write("{\"model_type\":\"hgrn_bit\",\"hidden_size\":" + hiddenSize + ",\"intermediate_size\":null}"));

        assertThat(spec.layers().getFirst().channel())
                .isEqualTo(new ChannelSpec.Glu(intermediateSize, Activation.SILU, false));
    }

    @Test
    void keysThatUpstreamLeavesOutHaveItsDefaults() throws Exception {
        ModelSpec spec = spec(write("{\"model_type\":\"hgrn_bit\"}"));

        assertThat(spec.vocabSize()).isEqualTo(32_000);
        assertThat(spec.layers()).hasSize(24);
        assertThat(spec.tokens())
                .isEqualTo(new ModelSpec.SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty()));
    }

    @Test
    void readsEveryPartOfAComposedModel() throws Exception {
        ModelSpec spec =
                spec(GoldenData.directory("composed-tiny/peer-block-topk").resolve("config.json"));

        assertThat(spec.head()).isEqualTo(new ModelSpec.HeadSpec.Tied());
        assertThat(spec.inputNormEpsilon()).isEmpty();
        assertThat(spec.layers().get(0))
                .isEqualTo(new LayerSpec(
                        new MixerSpec.Mlgru(1, 1, true, Optional.empty()),
                        new ChannelSpec.Peer(
                                32, 2, 16, 16, Activation.RELU, Score.SIGMOID, ChannelSpec.QueryNorm.LAYER, false),
                        new SparsitySpec.BlockTopK(16, 32),
                        new LayerSpec.Storage(LinearStorage.B3, LinearStorage.B3, Set.of())));
        assertThat(spec.layers().get(1).mixer())
                .isEqualTo(new MixerSpec.Attention(4, 2, 16, RopeSpec.of(10_000), true));
        assertThat(spec.layers().get(1).sparsity()).isEqualTo(new SparsitySpec.TopK(0.6));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "composed-tiny/glu-topk",
                "composed-tiny/peer",
                "composed-tiny/peer-block-topk",
                "composed-switches/online-float-head",
                "composed-switches/float-tied",
                "mmfree-tiny/f32/composable"
            })
    void whatIsWrittenReadsBackAsTheSame(String name) throws Exception {
        ModelSpec spec = spec(GoldenData.directory(name).resolve("config.json"));

        assertThat(spec(write(TernaryConfigWriter.write(spec).toString()))).isEqualTo(spec);
    }

    @Test
    void everyRopeScalingIsWrittenSoThatItReadsBackAsTheSame() throws Exception {
        Path examples = GoldenData.directory("llama-bitnet-tiny").resolve("rope.json");
        for (JsonNode example : JsonMapper.shared().readTree(examples)) {
            ObjectNode config = ternary();
            ObjectNode mixer = (ObjectNode) json("{\"kind\":\"attention\",\"num_heads\":4,\"num_kv_heads\":2}");
            mixer.setAll((ObjectNode) example.get("config"));
            mixer.put("rope_theta", 10_000);
            ((ObjectNode) config.get("layers").get(0)).set("mixer", mixer);
            ModelSpec spec = spec(write(config.toString()));

            assertThat(spec(write(TernaryConfigWriter.write(spec).toString())))
                    .as(example.get("name").stringValue())
                    .isEqualTo(spec);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"rope_type\":\"default\"}", "{\"rope_type\":\"linear\",\"factor\":2.5}"})
    void factorsOfFrequenciesAreWrittenSoThatTheyReadBackAsTheSame(String scaling) throws Exception {
        ObjectNode config = ternary();
        ObjectNode mixer = (ObjectNode)
                json("{\"kind\":\"attention\",\"num_heads\":4,\"num_kv_heads\":2,\"head_dim\":4,\"rope_theta\":1e4}");
        ObjectNode parameters = (ObjectNode) json(scaling);
        List<Double> factors = List.of((double) 1.1f, 3.4028234663852886E38);
        factors.forEach(parameters.putArray("freq_factors")::add);
        mixer.set("rope_scaling", parameters);
        ((ObjectNode) config.get("layers").get(0)).set("mixer", mixer);
        ModelSpec spec = spec(write(config.toString()));

        assertThat(((MixerSpec.Attention) spec.layers().getFirst().mixer())
                        .rope()
                        .freqFactors())
                .isEqualTo(factors);
        assertThat(spec(write(TernaryConfigWriter.write(spec).toString()))).isEqualTo(spec);
    }

    @Test
    void aLayersOwnQuantizationReplacesTheTopLevelOne() throws Exception {
        ObjectNode config = ternary();
        ObjectNode own = ((ObjectNode) config.get("layers").get(0)).putObject("quantization");
        own.put("linear", "b3").putArray("float").add("channel.down_proj");
        ModelSpec spec = spec(write(config.toString()));

        LayerSpec.Storage storage = spec.layers().getFirst().storage();
        assertThat(storage.of("channel.down_proj")).isEqualTo(LinearStorage.FLOAT);
        assertThat(storage.of("channel.up_proj")).isEqualTo(LinearStorage.B3);
        assertThat(spec(write(TernaryConfigWriter.write(spec).toString()))).isEqualTo(spec);
    }

    static Stream<Arguments> invalidValues() {
        return Stream.of(
                invalid("/hidden_size", "\"abc\"", "hidden_size: expected an integer from 1 to 1048576, found \"abc\""),
                invalid("/hidden_size", "-64", "hidden_size: expected an integer from 1 to 1048576, found -64"),
                invalid("/hidden_size", "64.5", "hidden_size: expected an integer from 1 to 1048576, found 64.5"),
                invalid("/hidden_size", "1e30", "hidden_size: expected an integer from 1 to 1048576, found 1.0E30"),
                invalid(
                        "/hidden_size",
                        "99999999999",
                        "hidden_size: expected an integer from 1 to 1048576, found 99999999999"),
                invalid("/vocab_size", "null", "vocab_size: expected an integer from 1 to 16777216, found null"),
                invalid("/vocab_size", ABSENT, "vocab_size: expected an integer from 1 to 16777216, found nothing"),
                invalid("/rms_norm_eps", "-1e-6", "rms_norm_eps: expected a number from 0.0 to 1.0, found -1.0E-6"),
                invalid(
                        "/eos_token_id",
                        "\"</s>\"",
                        "eos_token_id: expected an integer from 0 to 2147483647, found \"</s>\""),
                invalid(
                        "/eos_token_id",
                        "[2,true]",
                        "eos_token_id[1]: expected an integer from 0 to 2147483647, found true"),
                invalid("/tie_word_embeddings", "1", "tie_word_embeddings: expected true or false, found 1"),
                invalid("/linear", "true", "linear: expected an object, found true"),
                invalid(
                        "/linear/norm_eps",
                        ABSENT,
                        "linear.norm_eps: expected a number from 0.0 to 1.0, found nothing"),
                invalid(
                        "/quantization/linear",
                        "\"q4_0\"",
                        "quantization.linear: expected \"u2_rows\" or \"u2_cols\" or \"b3\" or \"online\" or \"float\","
                                + " found \"q4_0\""),
                invalid("/layers", "{}", "layers: expected a list of objects, found {}"),
                invalid("/layers/0", "7", "layers[0]: expected an object, found 7"),
                invalid("/layers/0/repeat", "4", "layers[0].repeat: expected an integer from 1 to 3, found 4"),
                invalid(
                        "/layers/0/mixer/kind",
                        "\"mamba\"",
                        "layers[0].mixer.kind: expected \"mlgru\" or \"attention\", found \"mamba\""),
                invalid(
                        "/layers/0/mixer/expand_ratio",
                        "0",
                        "layers[0].mixer.expand_ratio: expected a number from 0.015625 to 16384.0, found 0"),
                invalid(
                        "/layers/0/mixer",
                        "{\"kind\":\"attention\",\"num_heads\":6,\"num_kv_heads\":4,\"head_dim\":8,\"rope_theta\":1e4}",
                        "layers[0].mixer.num_kv_heads: expected a divisor of num_heads, 6, found 4"),
                invalid(
                        "/layers/0/mixer",
                        "{\"kind\":\"attention\",\"num_heads\":6,\"num_kv_heads\":2,\"head_dim\":9,\"rope_theta\":1e4}",
                        "layers[0].mixer.head_dim: expected an even number, whose halves the rotary positions pair,"
                                + " found 9"),
                invalid(
                        "/layers/0/mixer",
                        attention("[1,2,3]"),
                        "layers[0].mixer.rope_scaling.freq_factors: expected a list of 2 numbers, half of head_dim,"
                                + " found [1,2,3]"),
                invalid(
                        "/layers/0/mixer",
                        attention("[1,0]"),
                        "layers[0].mixer.rope_scaling.freq_factors[1]: expected a number from 1.0E-6 to"
                                + " 3.4028234663852886E38, found 0"),
                invalid(
                        "/layers/0/mixer",
                        attention("8"),
                        "layers[0].mixer.rope_scaling.freq_factors: expected a list of numbers, found 8"),
                invalid(
                        "/layers/0/mixer/conv",
                        "{\"size\":0,\"shared\":true}",
                        "layers[0].mixer.conv.size: expected an integer from 1 to 1024, found 0"),
                invalid(
                        "/layers/0/channel/activation",
                        "\"tanh\"",
                        "layers[0].channel.activation: expected \"silu\" or \"relu2\" or \"relu\" or \"gelu\", found"
                                + " \"tanh\""),
                invalid(
                        "/sparsity/kind",
                        "\"random\"",
                        "sparsity.kind: expected \"none\" or \"topk\" or \"block_topk\", found \"random\""));
    }

    private static String attention(String freqFactors) {
        return "{\"kind\":\"attention\",\"num_heads\":6,\"num_kv_heads\":2,\"head_dim\":4,\"rope_theta\":1e4,"
                + "\"rope_scaling\":{\"rope_type\":\"default\",\"freq_factors\":" + freqFactors + "}}";
    }

    private static Arguments invalid(String pointer, String value, String message) {
        return Arguments.of(pointer, value, message);
    }

    @ParameterizedTest
    @MethodSource("invalidValues")
    void refusesAValueWithFileKeyExpectedAndFound(String pointer, String value, String message) throws Exception {
        ObjectNode config = ternary();
        int slash = pointer.lastIndexOf('/');
        JsonNode parent = config.at(pointer.substring(0, slash));
        String key = pointer.substring(slash + 1);
        if (value.equals(ABSENT)) {
            ((ObjectNode) parent).remove(key);
        } else if (parent.isArray()) {
            ((ArrayNode) parent).set(Integer.parseInt(key), json(value));
        } else {
            ((ObjectNode) parent).set(key, json(value));
        }
        Path file = write(config.toString());

        assertThatThrownBy(() -> spec(file))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(file + ": " + message + REMEDY);
    }

    @Test
    void refusesLayersThatDoNotAddUp() throws Exception {
        Path file = write(ternary().put("num_hidden_layers", 5).toString());

        assertThatThrownBy(() -> spec(file))
                .hasMessage(file + ": layers: expected the entries with their repeats to be 5 layers, as"
                        + " num_hidden_layers says, found 3; correct one of the two");
    }

    @Test
    void refusesANewerFormat() throws Exception {
        Path file = write(ternary().put("format_version", 2).toString());

        assertThatThrownBy(() -> spec(file))
                .hasMessage(file + ": format_version: expected 1, found 2; use the version of Setun that wrote this"
                        + " checkpoint, or a newer one");
    }

    @Test
    void refusesAnUnknownFamily() throws Exception {
        Path file = write("{\"model_type\":\"mamba\"}");

        assertThatThrownBy(() -> spec(file))
                .hasMessage(file
                        + ": model_type: expected one of ternary, hgrn_bit, bitnet, llama, found \"mamba\"; Setun runs"
                        + " ternary models of these families only");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[1,2]", "not json", "{\"a\":1,\"a\":2}", "{} {}", "{\"model_type\": NaN}"})
    void refusesWhatIsNoJsonObject(String text) throws Exception {
        Path file = write(text);

        assertThatThrownBy(() -> spec(file))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith(file + ": expected a JSON object, found ")
                .hasMessageEndingWith(REMEDY);
    }

    @Test
    void refusesLowerBoundsForAnotherWidth() throws Exception {
        Path file = write("{\"model_type\":\"hgrn_bit\",\"hidden_size\":64,\"expand_ratio\":2}");

        assertThatThrownBy(() -> spec(file))
                .hasMessage(
                        file + ": expand_ratio: expected a recurrent width of 64, for which lower bounds are stored,"
                                + " found 128; set it to 1, or use_lower_bound to false");
    }

    @Test
    void refusesBlocksThatDoNotFillAnInput() throws Exception {
        ObjectNode config = ternary();
        config.putObject("sparsity").put("kind", "block_topk").put("n", 2).put("m", 48);
        Path file = write(config.toString());

        assertThatThrownBy(() -> spec(file))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(file + ": sparsity.m: expected a divisor of 64, the width that mixer.i_proj of layer 0"
                        + " reads, found 48; choose blocks that fill it");
    }

    @Test
    void refusesBlocksOfALayersOwnThatDoNotFillAnInput() throws Exception {
        ObjectNode config = ternary();
        ArrayNode layers = (ArrayNode) config.get("layers");
        ObjectNode last =
                ((ObjectNode) layers.get(0)).put("repeat", 2).deepCopy().put("repeat", 1);
        ((ObjectNode) last.get("channel")).put("intermediate_size", 161);
        last.putObject("sparsity").put("kind", "block_topk").put("n", 2).put("m", 4);
        layers.add(last);
        Path file = write(config.toString());

        assertThatThrownBy(() -> spec(file))
                .hasMessage(file + ": layers[1].sparsity.m: expected a divisor of 161, the width that"
                        + " channel.down_proj of layer 2 reads, found 4; choose blocks that fill it");
    }

    @Test
    void blocksNeedNotFillTheInputOfAFloatLinear() throws Exception {
        ObjectNode config = ternary();
        ObjectNode layer = (ObjectNode) config.get("layers").get(0);
        ((ObjectNode) layer.get("channel")).put("intermediate_size", 161);
        layer.putObject("sparsity").put("kind", "block_topk").put("n", 2).put("m", 4);
        layer.putObject("quantization").put("linear", "b3").putArray("float").add("channel.down_proj");

        assertThat(spec(write(config.toString())).layers().getFirst().sparsity())
                .isEqualTo(new SparsitySpec.BlockTopK(2, 4));
    }

    @Test
    void refusesAFloatLinearThatTheLayerDoesNotHave() throws Exception {
        ObjectNode config = ternary();
        ObjectNode own = ((ObjectNode) config.get("layers").get(0)).putObject("quantization");
        own.put("linear", "b3").putArray("float").add("channel.dwon_proj");
        Path file = write(config.toString());

        assertThatThrownBy(() -> spec(file))
                .hasMessage(file + ": layers[0].quantization.float: expected names out of mixer.i_proj, mixer.f_proj,"
                        + " mixer.g_proj, mixer.o_proj, channel.gate_proj, channel.up_proj, channel.down_proj, found"
                        + " \"channel.dwon_proj\"; name linears of this layer");
    }

    private static ObjectNode ternary() {
        Path file = GoldenData.directory("mmfree-tiny/f32/composable").resolve("config.json");
        return (ObjectNode) JsonMapper.shared().readTree(file);
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }

    private Path write(String text) throws Exception {
        return Files.writeString(temporary.resolve("config.json"), text);
    }

    private static ModelSpec spec(Path file) throws Exception {
        return Recipe.of(ConfigObject.read(file)).spec();
    }
}
