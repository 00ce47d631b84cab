package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class CheckpointConverterTest {

    private static final ConvertOptions GOLDEN = new ConvertOptions(TernaryPacking.U2_ROWS, ElementType.F32);

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"mmfree-tiny/f32", "mmfree-tiny/bf16"})
    void convertsToTheTensorsOfTheReferenceConverter(String name) throws Exception {
        Path source = GoldenData.directory(name);
        Path target = temporary.resolve("converted");
        CheckpointConverter.convert(source, target, GOLDEN, LoadProgress.NONE);

        try (Checkpoint expected = Checkpoint.open(source.resolve("composable"));
                Checkpoint actual = Checkpoint.open(target)) {
            assertThat(actual.tensors()).hasSameSizeAs(expected.tensors());
            for (StoredTensor tensor : expected.tensors()) {
                assertSameTensor(tensor, actual.require(tensor.name(), tensor.shape()));
            }
        }
    }

    /** The reference computes means and lower bounds in float32, this project in float64. */
    private static void assertSameTensor(StoredTensor expected, StoredTensor actual) throws CheckpointFormatException {
        assertThat(actual.type()).as(expected.name()).isEqualTo(expected.type());
        if (expected.name().endsWith(".weight_scale")) {
            float scale = expected.floats()[0];
            assertThat(Math.abs(actual.floats()[0] - scale)).as(expected.name()).isLessThanOrEqualTo(Math.ulp(scale));
        } else if (expected.name().endsWith(".lower_bound")) {
            float[] bounds = expected.floats();
            for (int i = 0; i < bounds.length; i++) {
                assertThat(Math.abs(actual.floats()[i] - bounds[i]))
                        .as(expected.name())
                        .isLessThan(2e-7f);
            }
        } else {
            assertThat(bytes(actual)).as(expected.name()).isEqualTo(bytes(expected));
        }
    }

    @Test
    void writesTheConfigurationOfTheReferenceConverter() throws Exception {
        Path source = GoldenData.directory("mmfree-tiny/bf16");
        Path target = temporary.resolve("converted");
        CheckpointConverter.convert(source, target, GOLDEN, LoadProgress.NONE);

        assertThat(config(target)).isEqualTo(config(source.resolve("composable")));
    }

    @Test
    void theTargetIsAsReadableAsAnyNewDirectory() throws Exception {
        Path target = temporary.resolve("converted");
        CheckpointConverter.convert(GoldenData.directory("mmfree-tiny/bf16"), target, GOLDEN, LoadProgress.NONE);

        Path plain = Files.createDirectory(temporary.resolve("plain"));
        assertThat(Files.getPosixFilePermissions(target)).isEqualTo(Files.getPosixFilePermissions(plain));
    }

    @ParameterizedTest
    @EnumSource(TernaryPacking.class)
    void everyPackingHoldsTheSameWeights(TernaryPacking packing) throws Exception {
        Path source = GoldenData.directory("mmfree-tiny/bf16");
        Path packed = temporary.resolve("packed");
        Path back = temporary.resolve("back");
        CheckpointConverter.convert(source, packed, new ConvertOptions(packing, ElementType.BF16), LoadProgress.NONE);
        CheckpointConverter.convert(packed, back, GOLDEN, LoadProgress.NONE);

        Path direct = temporary.resolve("direct");
        CheckpointConverter.convert(source, direct, GOLDEN, LoadProgress.NONE);
        assertThat(back.resolve("model.safetensors")).hasSameBinaryContentAs(direct.resolve("model.safetensors"));
    }

    @Test
    void linearsThatStayFloatAreNotPacked() throws Exception {
        Path target = temporary.resolve("converted");
        CheckpointConverter.convert(
                GoldenData.directory("composed-switches/online-float-head"), target, GOLDEN, LoadProgress.NONE);

        try (Checkpoint converted = Checkpoint.open(target)) {
            assertThat(converted.require("lm_head.weight").type()).isEqualTo(ElementType.F32);
            assertThat(converted.require("model.layers.0.mixer.i_proj.weight").type())
                    .isEqualTo(ElementType.U8);
        }
        assertThat(config(target).get("quantization"))
                .isEqualTo(JsonMapper.shared().readTree("{\"linear\":\"u2_rows\",\"lm_head\":\"float\"}"));
    }

    @Test
    void tokenizerAndGenerationFilesTravelAlong() throws Exception {
        Path source =
                TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16")).write(temporary.resolve("source"));
        Map<String, String> companions = Map.of(
                "tokenizer.json", "{}",
                "tokenizer_config.json", "{\"a\":1}",
                "special_tokens_map.json", "{\"b\":2}",
                "generation_config.json", "{\"eos_token_id\":[2,3]}",
                "chat_template.jinja", "{{ messages }}");
        for (Map.Entry<String, String> companion : companions.entrySet()) {
            Files.writeString(source.resolve(companion.getKey()), companion.getValue());
        }
        Files.writeString(source.resolve("notes.txt"), "not part of a model");
        Path target = temporary.resolve("converted");
        CheckpointConverter.convert(source, target, GOLDEN, LoadProgress.NONE);

        for (Map.Entry<String, String> companion : companions.entrySet()) {
            assertThat(target.resolve(companion.getKey())).hasContent(companion.getValue());
        }
        assertThat(target.resolve("notes.txt")).doesNotExist();

        Path other = temporary.resolve("other");
        Map<String, byte[]> added = Map.of("tokenizer.json", new byte[] {'[', ']'});
        CheckpointConverter.convert(source, other, GOLDEN, added, LoadProgress.NONE);
        assertThat(other.resolve("tokenizer.json")).hasContent("[]");
        assertThat(other.resolve("tokenizer_config.json")).hasContent("{\"a\":1}");
    }

    @Test
    void tellsOfEveryTensorUpToTheLastByte() throws Exception {
        List<Long> done = new ArrayList<>();
        List<Long> totals = new ArrayList<>();
        CheckpointConverter.convert(
                GoldenData.directory("mmfree-tiny/bf16"),
                temporary.resolve("converted"),
                GOLDEN,
                (tensor, bytes, total) -> {
                    done.add(bytes);
                    totals.add(total);
                });

        assertThat(done).isSorted().hasSize(77);
        assertThat(done.getLast()).isEqualTo(totals.getLast());
        assertThat(totals).containsOnly(totals.getFirst());
    }

    @Test
    void leavesAnExistingTargetAlone() throws Exception {
        Path target = Files.createDirectory(temporary.resolve("taken"));

        assertThatThrownBy(() -> CheckpointConverter.convert(
                        GoldenData.directory("mmfree-tiny/bf16"), target, GOLDEN, LoadProgress.NONE))
                .isInstanceOf(FileAlreadyExistsException.class)
                .hasMessage(target + ": the target of a conversion must not exist yet; choose another one");
        assertThat(target).isEmptyDirectory();
    }

    @Test
    void anInterruptedConversionGoesOnWhereItEnded() throws Exception {
        Path source = GoldenData.directory("bitnet-tiny-packed");
        Path whole = temporary.resolve("whole");
        CheckpointConverter.convert(source, whole, GOLDEN, LoadProgress.NONE);
        Path target = temporary.resolve("converted");
        LoadProgress killed = (tensor, done, total) -> {
            if (done > total / 2) {
                throw new KilledError();
            }
        };
        assertThatThrownBy(() -> CheckpointConverter.convert(source, target, GOLDEN, killed))
                .isInstanceOf(KilledError.class);
        assertThat(target).doesNotExist();
        Path partial = temporary.resolve("converted.setun-partial").resolve("model.safetensors.partial");
        assertThat(Files.size(partial)).isGreaterThan(Files.size(whole.resolve("model.safetensors")) / 2);

        CheckpointConverter.convert(source, target, GOLDEN, LoadProgress.NONE);
        try (Stream<Path> files = Files.list(whole)) {
            for (Path file : files.toList()) {
                assertThat(target.resolve(file.getFileName())).hasSameBinaryContentAs(file);
            }
        }
        assertThat(target.toFile().list()).hasSameSizeAs(whole.toFile().list());
        assertThat(temporary.resolve("converted.setun-partial")).doesNotExist();
    }

    @Test
    void aConversionThatCannotBeginLeavesAnInterruptedOneAlone() throws Exception {
        Path target = temporary.resolve("converted");
        LoadProgress killed = (tensor, done, total) -> {
            throw new KilledError();
        };
        Path source = GoldenData.directory("bitnet-tiny-packed");
        assertThatThrownBy(() -> CheckpointConverter.convert(source, target, GOLDEN, killed))
                .isInstanceOf(KilledError.class);
        TestCheckpoint damaged = TestCheckpoint.read(source);
        damaged.tensors.remove("model.norm.weight");
        Path other = damaged.write(temporary.resolve("damaged"));

        assertThatThrownBy(() -> CheckpointConverter.convert(other, target, GOLDEN, LoadProgress.NONE))
                .isInstanceOf(CheckpointFormatException.class);
        assertThat(temporary.resolve("converted.setun-partial").resolve("model.safetensors.partial"))
                .isNotEmptyFile();
    }

    @Test
    void aDirectoryOfASimilarNameIsNobodysBusiness() throws Exception {
        Path mine = Files.createDirectory(temporary.resolve("converted.partial"));
        Files.writeString(mine.resolve("notes.txt"), "mine");
        CheckpointConverter.convert(
                GoldenData.directory("mmfree-tiny/bf16"), temporary.resolve("converted"), GOLDEN, LoadProgress.NONE);

        assertThat(mine.resolve("notes.txt")).hasContent("mine");
    }

    /** Stands for the end of the process: nobody catches it. */
    private static final class KilledError extends Error {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void leavesNothingBehindWhenTheSourceIsDamaged() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16"));
        checkpoint.tensors.remove("model.layers.2.mlp.down_proj.weight");
        Path source = checkpoint.write(temporary.resolve("source"));
        Path target = temporary.resolve("converted");

        assertThatThrownBy(() -> CheckpointConverter.convert(source, target, GOLDEN, LoadProgress.NONE))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("model.layers.2.mlp.down_proj.weight");
        try (Stream<Path> files = Files.list(temporary)) {
            assertThat(files).containsExactly(source);
        }
    }

    @Test
    void namesThePackingThatFitsWhenOneDoesNot() throws Exception {
        TestCheckpoint checkpoint = TestCheckpoint.read(GoldenData.directory("mmfree-tiny/bf16"));
        checkpoint.config.put("vocab_size", 255);
        checkpoint.put("model.embeddings.weight", ElementType.BF16, 255, 64);
        checkpoint.put("lm_head.weight", ElementType.BF16, 255, 64);
        Path source = checkpoint.write(temporary.resolve("source"));

        assertThatThrownBy(() -> CheckpointConverter.convert(source, temporary.resolve("a"), GOLDEN, LoadProgress.NONE))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(
                        source + ": tensor lm_head.weight: a matrix [255, 64] cannot be stored as u2_rows; choose the"
                                + " packing b3, which fits every matrix");
        CheckpointConverter.convert(
                source,
                temporary.resolve("b"),
                new ConvertOptions(TernaryPacking.B3, ElementType.F32),
                LoadProgress.NONE);
        assertThat(temporary.resolve("b").resolve("model.safetensors")).exists();
    }

    private static JsonNode config(Path directory) {
        return JsonMapper.shared().readTree(directory.resolve("config.json"));
    }

    private static byte[] bytes(StoredTensor tensor) {
        return tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
    }
}
