package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FileSelectionTest {

    private static final Checksum ANY = new Checksum(Checksum.Kind.GIT_BLOB, "0".repeat(40));

    private static ModelListing listing(String... paths) {
        List<RemoteFile> files =
                Arrays.stream(paths).map(path -> new RemoteFile(path, 1, ANY)).toList();
        return new ModelListing("0".repeat(40), files);
    }

    private static FileSelection select(String model, FileWishes wishes, String... paths) throws HubException {
        return FileSelection.of(ModelReference.parse(model, null), wishes, listing(paths));
    }

    private static List<String> paths(List<RemoteFile> files) {
        return files.stream().map(RemoteFile::path).toList();
    }

    private static FileWishes excluding(String... globs) {
        return new FileWishes(List.of(), List.of(globs), Optional.empty());
    }

    @Test
    void takesOneSetOfSafetensorsAndWhatBelongsToIt() throws Exception {
        FileSelection selection = select(
                "a/b",
                FileWishes.NONE,
                "model.safetensors",
                "model.safetensors.index.json",
                "model-00001-of-00001.safetensors",
                "config.json",
                "generation_config.json",
                "tokenizer.json",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "chat_template.jinja",
                "LICENSE",
                "README.md",
                "modeling_b.py",
                "pytorch_model.bin",
                "b-Q8_0.gguf",
                "onnx/model.onnx",
                "original/config.json",
                ".gitattributes");

        assertThat(paths(selection.files()))
                .containsExactly(
                        "LICENSE",
                        "README.md",
                        "chat_template.jinja",
                        "config.json",
                        "generation_config.json",
                        "special_tokens_map.json",
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "model.safetensors");
        assertThat(paths(selection.weights())).containsExactly("model.safetensors");
    }

    @Test
    void takesAllPartsWithTheirIndex() throws Exception {
        FileSelection selection = select(
                "a/b",
                FileWishes.NONE,
                "model-00002-of-000002.safetensors",
                "model-00001-of-000002.safetensors",
                "model.fp16-00001-of-00001.safetensors",
                "model.safetensors.index.json",
                "config.json");

        assertThat(paths(selection.files()))
                .containsExactly(
                        "config.json",
                        "model.safetensors.index.json",
                        "model-00001-of-000002.safetensors",
                        "model-00002-of-000002.safetensors");
    }

    @Test
    void aMissingPartIsAnError() {
        assertThatThrownBy(() -> select(
                        "a/b",
                        FileWishes.NONE,
                        "model.safetensors.index.json",
                        "model-00001-of-00003.safetensors",
                        "model-00003-of-00003.safetensors"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected 3 parts of model.safetensors, found 2");
        assertThatThrownBy(() -> select("a/b", FileWishes.NONE, "m-00001-of-00002.gguf"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected 2 parts, found 1");
    }

    @Test
    void aLargeReadmeStays() throws Exception {
        ModelListing listing = new ModelListing(
                "0".repeat(40),
                List.of(new RemoteFile("model.safetensors", 1, ANY), new RemoteFile("README.md", 2 << 20, ANY)));
        assertThat(paths(FileSelection.of(ModelReference.parse("a/b", null), FileWishes.NONE, listing)
                        .files()))
                .containsExactly("model.safetensors");
    }

    @Test
    void takesTheOnlyGgufModelWhereThereAreNoSafetensors() throws Exception {
        FileSelection selection = select(
                "a/b",
                FileWishes.NONE,
                "README.md",
                "b-Q8_0-00002-of-00002.gguf",
                "b-Q8_0-00001-of-00002.gguf",
                "mmproj-b-f16.gguf",
                "b.imatrix.gguf");

        assertThat(paths(selection.files()))
                .containsExactly("README.md", "b-Q8_0-00001-of-00002.gguf", "b-Q8_0-00002-of-00002.gguf");
        assertThat(selection.weights().getFirst().path()).isEqualTo("b-Q8_0-00001-of-00002.gguf");
    }

    @Test
    void severalGgufModelsAreListedWithTheWordsThatChooseThem() {
        assertThatThrownBy(() -> select("a/b", FileWishes.NONE, "b-TQ1_0.gguf", "b.i2_s.gguf", "b-bf16.gguf"))
                .isInstanceOf(HubException.class)
                .hasMessage("a/b: expected one model in GGUF, found 3; choose one: a/b:TQ1_0, a/b:BF16, a/b:I2_S");
        assertThatThrownBy(() -> select("a/b", FileWishes.NONE, "small/x.gguf", "large/x.gguf"))
                .isInstanceOf(HubException.class)
                .hasMessage("a/b: expected one model in GGUF, found 2; choose one: --file large/x.gguf, --file"
                        + " small/x.gguf");
        assertThatThrownBy(() -> select("a/b:Q4_0", FileWishes.NONE, "b-TQ1_0.gguf", "b-I2_S.gguf"))
                .isInstanceOf(HubException.class)
                .hasMessage("a/b: expected one GGUF model with Q4_0 in its name, found none; choose one: a/b:I2_S,"
                        + " a/b:TQ1_0");
        assertThatThrownBy(() -> select("a/b:Q4_0", FileWishes.NONE, "model.safetensors"))
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "a/b: expected one GGUF model with Q4_0 in its name, found none; it has no GGUF files at all");
    }

    @ParameterizedTest
    @CsvSource({
        "I2_S, ggml-model-i2_s.gguf",
        "q2_0, b-Q2_0.gguf",
        "TQ2_0, b.TQ2_0.gguf",
        "Q4_K_M, b-UD-Q4_K_M.gguf",
        "UD-Q4_K_M, b-UD-Q4_K_M.gguf",
        "F16, F16/b.gguf"
    })
    void theQuantisationChoosesByItsWholeName(String quantisation, String expected) throws Exception {
        FileSelection selection = select(
                "a/b:" + quantisation,
                FileWishes.NONE,
                "model.safetensors",
                "config.json",
                "ggml-model-i2_s.gguf",
                "b-Q2_0.gguf",
                "b.TQ2_0.gguf",
                "b-UD-Q4_K_M.gguf",
                "F16/b.gguf",
                "mmproj-Q2_0.gguf");
        assertThat(paths(selection.files())).containsExactly("config.json", expected);
    }

    @Test
    void theQuantisationTakesAllParts() throws Exception {
        FileSelection selection = select(
                "a/b:I2_S",
                FileWishes.NONE,
                "x/b-i2_s-00001-of-00002.gguf",
                "x/b-i2_s-00002-of-00002.gguf",
                "b-f16.gguf");
        assertThat(paths(selection.weights()))
                .containsExactly("x/b-i2_s-00001-of-00002.gguf", "x/b-i2_s-00002-of-00002.gguf");
    }

    @Test
    void aNamedFileTakesItsPartsAndItsCompanions() throws Exception {
        FileWishes wishes = new FileWishes(List.of(), List.of(), Optional.of("b-f16-00002-of-00002.gguf"));
        FileSelection selection = select(
                "a/b", wishes, "config.json", "b-f16-00001-of-00002.gguf", "b-f16-00002-of-00002.gguf", "b-f32.gguf");
        assertThat(paths(selection.files()))
                .containsExactly("config.json", "b-f16-00001-of-00002.gguf", "b-f16-00002-of-00002.gguf");
        assertThatThrownBy(() -> select("a/b", wishes, "config.json"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected a file b-f16-00002-of-00002.gguf, found none of that name");
    }

    @Test
    void includesReplaceTheUsualChoice() throws Exception {
        FileWishes wishes = new FileWishes(List.of("*.bin", "onnx/"), List.of("*training*"), Optional.empty());
        FileSelection selection =
                select("a/b", wishes, "pytorch_model.bin", "training_args.bin", "onnx/model.onnx", "model.safetensors");
        assertThat(paths(selection.files())).containsExactly("onnx/model.onnx", "pytorch_model.bin");
        assertThat(selection.weights()).isEmpty();
        assertThatThrownBy(() -> select("a/b", wishes, "model.safetensors"))
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "a/b: expected files that match *.bin, onnx/, found none of its 1 files; correct --include or"
                                + " --exclude");
    }

    @Test
    void excludesNarrowTheUsualChoice() throws Exception {
        assertThat(paths(select("a/b", excluding("README*", "*f16*"), "README.md", "b-f16.gguf", "b-TQ1_0.gguf")
                        .files()))
                .containsExactly("b-TQ1_0.gguf");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch_model.bin", "model.pt", "consolidated.00.pth", "last.ckpt"})
    void picklesAloneAreRefusedByName(String pickle) {
        assertThatThrownBy(() -> select("a/b", FileWishes.NONE, "config.json", pickle))
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "a/b: expected model.safetensors, model.safetensors.index.json with its parts, or GGUF files,"
                                + " found only PyTorch's pickles (" + pickle
                                + "), which Setun does not read; look for a"
                                + " safetensors version among its revisions, or save it as safetensors with transformers");
    }

    @Test
    void aRepositoryWithoutUsualWeightsNamesWhatItHas() {
        assertThatThrownBy(() -> select("a/b", FileWishes.NONE, "config.json", "adapter_model.safetensors"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("found adapter_model.safetensors; name what you want with --file or --include");
        assertThatThrownBy(() -> select("a/b", FileWishes.NONE, "README.md"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("found none of them; choose another model");
    }
}
