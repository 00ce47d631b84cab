package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.KeyValueFormat;
import org.setun.tensor.ElementType;
import org.setun.tensor.TernaryColumns;

final class ModelLoaderTest {

    private static final String DAMAGED = "; the file is damaged; download it again";

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @MethodSource("damages")
    void refusesTensorsThatTheConfigurationDoesNotDescribe(
            String model, Consumer<TestCheckpoint> damage, String message) throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory(model));
        damage.accept(checkpoint);
        Path source = checkpoint.write(temporary.resolve("source"));

        assertThatThrownBy(() -> load(source))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith(source + message);
    }

    static Stream<Arguments> damages() {
        String upstream = "mmfree-tiny/bf16";
        String own = "mmfree-tiny/bf16/composable";
        String gate = "model.layers.1.mlp.gate_proj.weight";
        String packed = "model.layers.1.channel.up_proj.weight";
        String peer = "composed-tiny/peer";
        String down = "model.layers.1.channel.down.weight";
        return Stream.of(
                damage(
                        upstream,
                        c -> c.tensors.remove(gate),
                        ": tensor " + gate + ": no such tensor, the nearest being"),
                damage(
                        own,
                        c -> c.tensors.remove("model.norm.weight"),
                        ": tensor model.norm.weight: no such tensor, the nearest being"),
                damage(
                        upstream,
                        c -> c.put("model.layers.3.attn_norm.weight", ElementType.F32, 64),
                        ": a tensor that the model does not have: model.layers.3.attn_norm.weight"),
                damage(
                        upstream,
                        c -> c.put(gate, ElementType.BF16, 256, 64),
                        "/model.safetensors: tensor " + gate + ": expected [512, 64], found [256, 64]"),
                damage(
                        upstream,
                        c -> c.put(gate, ElementType.I8, 512, 64),
                        "/model.safetensors: tensor " + gate + ": expected F32, F16 or BF16, found I8"),
                damage(
                        upstream,
                        c -> c.put("model.lower_bounds", ElementType.F32, 2, 64),
                        "/model.safetensors: tensor model.lower_bounds: expected [3, 64], found [2, 64]"),
                damage(
                        own,
                        c -> c.put(packed, ElementType.U8, 256, 64),
                        "/model.safetensors: tensor " + packed + ": expected [64, 64], found [256, 64]"),
                damage(
                        own,
                        c -> c.put(packed, ElementType.F32, 64, 64),
                        "/model.safetensors: tensor " + packed + ": expected U8, found F32"),
                damage(
                        own,
                        c -> Arrays.fill(bytes(c, packed), (byte) 0xff),
                        "/model.safetensors: tensor " + packed
                                + ", row 0, column 0: the u2_rows code there stands for no trit"),
                damage(
                        own,
                        c -> c.put(packed + "_scale", ElementType.F32, 2),
                        "/model.safetensors: tensor " + packed + "_scale: expected [1], found [2]"),
                damage(
                        own,
                        c -> Arrays.fill(bytes(c, packed + "_scale"), (byte) 0xff),
                        "/model.safetensors: tensor " + packed
                                + "_scale, element 0: expected a finite number, found NaN" + DAMAGED),
                damage(
                        peer,
                        c -> c.put(down, ElementType.U8, 1023, 16),
                        "/model.safetensors: tensor " + down + ": expected [1024, 16], found [1023, 16]"),
                damage(
                        peer,
                        c -> Arrays.fill(bytes(c, down), 32, 48, (byte) 0xff),
                        "/model.safetensors: tensor " + down
                                + ", row 2, column 0: the u2_cols code there stands for no trit"),
                damage(
                        peer,
                        c -> c.put(down + "_scale", ElementType.F32, 2),
                        "/model.safetensors: tensor " + down + "_scale: expected [1024], found [2]"),
                damage(
                        peer,
                        c -> c.put(down + "_scale", ElementType.F16, 1024),
                        "/model.safetensors: tensor " + down + "_scale: expected F32, found F16"),
                damage(
                        peer,
                        c -> Arrays.fill(bytes(c, down + "_scale"), 28, 32, (byte) 0xff),
                        "/model.safetensors: tensor " + down + "_scale, element 7: expected a finite number, found NaN"
                                + DAMAGED),
                damage(
                        peer,
                        c -> c.tensors.remove("model.layers.2.channel.sub_keys"),
                        ": tensor model.layers.2.channel.sub_keys: no such tensor, the nearest being"),
                damage(
                        upstream,
                        c -> Arrays.fill(bytes(c, gate), 128, 256, (byte) 0xff),
                        "/model.safetensors: tensor " + gate + ", row 1: a weight there is not finite" + DAMAGED));
    }

    private static Arguments damage(String model, Consumer<TestCheckpoint> damage, String message) {
        return Arguments.of(model, damage, message);
    }

    private static byte[] bytes(TestCheckpoint checkpoint, String name) {
        return checkpoint.tensor(name).bytes();
    }

    @Test
    void dataThatChangedAfterItWasWrittenIsRefused() throws Exception {
        Path source =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary.resolve("source"));
        load(source).model().close();
        Path file = source.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 100] ^= 1;
        Files.write(file, bytes);

        String message = file + ": data: expected the checksum ";
        assertThatThrownBy(() -> load(source))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith(message)
                .hasMessageEndingWith("; the file was damaged after it was written, copy or convert it again");
        assertThat(ModelInspector.inspect(source, KernelSelection.layout(), LoadProgress.NONE)
                        .obstacle())
                .hasValueSatisfying(obstacle -> assertThat(obstacle).startsWith(message));
        assertThatThrownBy(() -> CheckpointConverter.convert(
                        source,
                        temporary.resolve("converted"),
                        new ConvertOptions(TernaryPacking.B3, ElementType.F32),
                        LoadProgress.NONE))
                .hasMessageStartingWith(message);
    }

    @Test
    void saysWhereTheConfigurationIsMissing() throws Exception {
        Path source =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary.resolve("source"));
        Files.delete(source.resolve("config.json"));

        assertThatThrownBy(() -> load(source))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(source.resolve("config.json") + ": expected the model's configuration, found no such file;"
                        + " copy it from where the weights come from");
    }

    @Test
    void loadsAFileWithItsConfigurationBesideIt() throws Exception {
        LoadedModel loaded = load(GoldenData.directory("mmfree-tiny/bf16").resolve("model.safetensors"));

        assertThat(loaded.model().dimensions().vocabSize()).isEqualTo(256);
        loaded.model().close();
    }

    @Test
    void ignoresTheConvolutionThatUpstreamStoresAndNeverCalls() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("mmfree-switches/separate-convolution"));
        assertThat(checkpoint.tensors).containsKey("model.layers.0.attn.q_conv1d.weight");
        checkpoint.tensors.remove("model.layers.0.attn.q_conv1d.weight");

        load(checkpoint.write(temporary.resolve("source"))).model().close();
    }

    @Test
    void tellsOfEveryTensorUpToTheLastByte() throws Exception {
        for (String model : List.of(
                "mmfree-tiny/bf16", "mmfree-tiny/bf16/composable", "mmfree-switches/tied", "composed-tiny/peer")) {
            List<Long> done = new ArrayList<>();
            List<Long> totals = new ArrayList<>();
            LoadProgress progress = (tensor, bytes, total) -> {
                done.add(bytes);
                totals.add(total);
            };
            load(GoldenData.directory(model), progress).model().close();
            assertThat(done).as(model).isSorted();
            assertThat(done.getLast()).as(model).isEqualTo(totals.getFirst());
            assertThat(totals).as(model).containsOnly(totals.getFirst());
        }
    }

    @Test
    void readsTheGenerationDefaultsOfBothFiles() throws Exception {
        Path source =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary.resolve("source"));
        Files.writeString(
                source.resolve("generation_config.json"),
                "{\"bos_token_id\":7,\"eos_token_id\":[2,9],\"do_sample\":true,\"temperature\":0.6,\"top_p\":0.9,"
                        + "\"top_k\":40,\"transformers_version\":\"4.40.2\"}");
        LoadedModel loaded = load(source);

        assertThat(loaded.defaults())
                .isEqualTo(new GenerationDefaults(
                        OptionalInt.of(7),
                        List.of(2, 9),
                        Optional.of(true),
                        OptionalDouble.of(0.6),
                        OptionalDouble.of(0.9),
                        OptionalInt.of(40)));
        loaded.model().close();
    }

    @Test
    void requestsMayAskForSparsityWhereItTakesNoMemoryOrTheOperatorAllowsIt() throws Exception {
        Path sparse = GoldenData.directory("composed-tiny/glu-topk");
        Path dense = GoldenData.directory("mmfree-tiny/f32");

        assertThat(limit(sparse, OptionalDouble.empty())).isEqualTo(0.9);
        assertThat(limit(dense, OptionalDouble.empty())).isZero();
        assertThat(limit(sparse, OptionalDouble.of(0))).isZero();
        assertThat(limit(dense, OptionalDouble.of(0.5))).isEqualTo(0.5);
    }

    @Test
    void aDenseModelThatRequestsMayMakeSparseKeepsAllButItsHeadByColumnsAsWell() throws Exception {
        Path dense = GoldenData.directory("mmfree-tiny/f32");
        ModelReport plain = report(dense, OptionalDouble.empty());
        ModelReport allowed = report(dense, OptionalDouble.of(0.5));

        long byColumns = plain.ternary().stream()
                .filter(matrix -> !matrix.name().equals("lm_head"))
                .mapToLong(matrix -> TernaryColumns.packedBytes(matrix.rows(), matrix.columns()))
                .sum();
        assertThat(allowed.loadedBytes()).isEqualTo(plain.loadedBytes() + byColumns);
    }

    @Test
    void aScreenedHeadStaysInItsFileUntilTheModelIsClosed() throws Exception {
        Path source = GoldenData.directory("bitnet-tiny-online/bf16");
        LoadOptions screened = new LoadOptions(KeyValueFormat.F32, OptionalDouble.empty(), HeadMode.SCREENED);
        LoadOptions exact = new LoadOptions(KeyValueFormat.F32, OptionalDouble.empty(), HeadMode.EXACT);
        ModelReport kept = load(source, exact, LoadedModel::report);
        ModelReport mapped = load(source, screened, LoadedModel::report);

        // The tied head: two bytes a weight in memory, or one that says what the mapped two must be about.
        ModelReport.Stored embedding = kept.stored().stream()
                .filter(tensor -> tensor.name().equals("model.embed_tokens.weight"))
                .findFirst()
                .orElseThrow();
        assertThat(mapped.loadedBytes()).isEqualTo(kept.loadedBytes() - embedding.bytes() / 2);
    }

    @Test
    void aFileThatHasBecomeShorterIsNotMapped() throws Exception {
        Path source =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary.resolve("source"));
        Path file = source.resolve("model.safetensors");
        try (Checkpoint checkpoint = Checkpoint.open(source);
                Arena arena = Arena.ofConfined()) {
            StoredTensor tensor = checkpoint.require("model.embeddings.weight");
            assertThat(tensor.mapAgain(arena).mismatch(tensor.bytes())).isEqualTo(-1);
            StoredTensor beyond = new StoredTensor(
                    file.toString(), "t", tensor.type(), tensor.shape(), tensor.bytes(), Files.size(file) - 1);
            assertThatThrownBy(() -> beyond.mapAgain(arena))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(
                            file + ": tensor t: expected " + tensor.bytes().byteSize() + " bytes at");
        }
    }

    private static double limit(Path path, OptionalDouble maxActivationSparsity) throws Exception {
        return load(
                path,
                new LoadOptions(KeyValueFormat.F32, maxActivationSparsity, HeadMode.AUTO),
                LoadedModel::maxActivationSparsity);
    }

    private static ModelReport report(Path path, OptionalDouble maxActivationSparsity) throws Exception {
        return load(
                path, new LoadOptions(KeyValueFormat.F32, maxActivationSparsity, HeadMode.AUTO), LoadedModel::report);
    }

    private static <T> T load(Path path, LoadOptions options, Function<LoadedModel, T> question) throws Exception {
        LoadedModel loaded = ModelLoader.load(path, KernelSelection.select("scalar", 2), options, LoadProgress.NONE);
        loaded.model().close();
        return question.apply(loaded);
    }

    @Test
    void withoutAGenerationConfigTheConfigurationGivesTheStops() throws Exception {
        LoadedModel loaded = load(GoldenData.directory("mmfree-tiny/bf16"));

        assertThat(loaded.defaults().stopTokenIds()).containsExactly(2);
        assertThat(loaded.defaults().bosTokenId()).hasValue(1);
        assertThat(loaded.defaults().temperature()).isEmpty();
        loaded.model().close();
    }

    @Test
    void aGenerationConfigOutOfRangeIsRefusedWithItsField() throws Exception {
        Path source =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary.resolve("source"));
        Files.writeString(source.resolve("generation_config.json"), "{\"top_p\":0}");

        assertThatThrownBy(() -> load(source))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("generation_config.json")
                .hasMessageContaining("top_p: expected a number more than 0 and at most 1, found 0");
    }

    private static LoadedModel load(Path path) throws Exception {
        return load(path, LoadProgress.NONE);
    }

    private static LoadedModel load(Path path, LoadProgress progress) throws Exception {
        Kernels kernels = KernelSelection.select("scalar", 2);
        try {
            return ModelLoader.load(path, kernels, LoadOptions.of(KeyValueFormat.F32), progress);
        } catch (CheckpointFormatException e) {
            kernels.workers().close();
            throw e;
        }
    }
}
