package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.setun.checkpoint.SafetensorsBytes.entry;
import static org.setun.checkpoint.SafetensorsBytes.file;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.tensor.Shape;

final class CheckpointTest {

    private static final String SAME_MODEL = "; take config.json and the weights from the same model";

    @TempDir
    Path directory;

    @Test
    void missingTensorIsReportedWithTheNearestNames() throws Exception {
        try (Checkpoint checkpoint = open(
                "model.layers.0.i_proj.weight", "model.layers.1.i_proj.weight", "model.layers.0.f_proj.weight", "x")) {
            assertRefused(
                    () -> checkpoint.require("model.layer.0.i_proj.weight", Shape.of(1)),
                    ": tensor model.layer.0.i_proj.weight: no such tensor, the nearest being"
                            + " model.layers.0.i_proj.weight, model.layers.0.f_proj.weight,"
                            + " model.layers.1.i_proj.weight" + SAME_MODEL);
            assertRefused(() -> checkpoint.require("abcdefgh"), ": tensor abcdefgh: no such tensor" + SAME_MODEL);
            assertThat(checkpoint.find("abcdefgh")).isEmpty();
        }
    }

    @Test
    void wrongShapeIsReportedWithBothShapes() throws Exception {
        try (Checkpoint checkpoint = open("t")) {
            assertThat(checkpoint.require("t", Shape.of(1)).name()).isEqualTo("t");
            assertRefused(
                    () -> checkpoint.require("t", Shape.of(2048, 5632)),
                    ": tensor t: expected [2048, 5632], found [1]" + SAME_MODEL);
            assertRefused(
                    () -> checkpoint.requirePacked("t", TernaryPacking.U2_ROWS, 4, 2),
                    ": tensor t: expected [1, 2], found [1]" + SAME_MODEL);
            assertRefused(
                    () -> checkpoint.requirePacked("t", TernaryPacking.U2_ROWS, 6, 2),
                    ": tensor t: a matrix [6, 2] cannot be stored as u2_rows; choose another packing in config.json and"
                            + " convert the checkpoint again");
        }
    }

    @Test
    void wrongElementTypeIsReportedWithTheAcceptedOnes() throws Exception {
        String header = "{" + entry("u", "U8", "[2,2]", 0, 4) + "," + entry("f", "F32", "[1,2]", 4, 12) + "}";
        try (Checkpoint checkpoint = open(file(header, 12))) {
            StoredTensor bytes = checkpoint.require("u");
            assertRefused(
                    bytes::floats, ": tensor u: expected F32, F16 or BF16, found U8; convert the checkpoint again");
            assertRefused(
                    () -> bytes.floatMatrix(2, 2),
                    ": tensor u: expected F32, F16 or BF16, found U8; convert the checkpoint again");
            assertRefused(
                    () -> checkpoint.requirePacked("f", TernaryPacking.U2_ROWS, 4, 2),
                    ": tensor f: expected U8, found F32; convert the checkpoint again");
            assertRefused(
                    () -> checkpoint.require("f").floatMatrix(2, 2),
                    ": tensor f: expected [2, 2], found [1, 2]" + SAME_MODEL);
        }
    }

    @Test
    void tensorsThatNobodyAskedForAreNamed() throws Exception {
        String[] names = IntStream.range(0, 8).mapToObj(i -> "t" + i).toArray(String[]::new);
        try (Checkpoint checkpoint = open(names)) {
            assertThat(checkpoint.find("t2")).isPresent();
            assertRefused(
                    checkpoint::requireAllUsed,
                    ": 7 tensors that the model does not have: t0, t1, t3, t4, t5 and 2 more" + SAME_MODEL);
            for (int i = 0; i < 7; i++) {
                checkpoint.require("t" + i);
            }
            assertRefused(checkpoint::requireAllUsed, ": a tensor that the model does not have: t7" + SAME_MODEL);
            checkpoint.require("t7", Shape.of(1));
            checkpoint.requireAllUsed();
        }
    }

    @Test
    void closingUnmapsOnceAndForAll() throws Exception {
        Checkpoint checkpoint = open("t");
        MemorySegment bytes = checkpoint.require("t").bytes();
        checkpoint.close();
        checkpoint.close();
        assertThatIllegalStateException().isThrownBy(() -> bytes.get(ValueLayout.JAVA_BYTE, 0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "504b03040000080800 | a zip archive, as PyTorch writes; save the weights as safetensors",
                "80025d7100         | a Python pickle, as PyTorch once wrote; save the weights as safetensors",
                "894844460d0a1a0a   | an HDF5 file; save the weights as safetensors",
                "1f8b08000000000000 | a gzip file; unpack it first"
            })
    void otherFormatsAreRecognised(String magic, String found) throws Exception {
        Path path = Files.write(directory.resolve("weights"), HexFormat.of().parseHex(magic));
        assertThatThrownBy(() -> Checkpoint.open(path))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(path + ": expected a safetensors or GGUF file, found " + found);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "version https://git-lfs.github.com/spec/v1 | a Git LFS pointer; fetch the file itself with git lfs pull",
                "<!DOCTYPE html><html></html>               | a web page; download the file itself"
            })
    void whatADownloadLeavesInsteadOfTheFileIsRecognised(String content, String found) throws Exception {
        Path path = Files.writeString(directory.resolve("model.safetensors"), content);
        assertThatThrownBy(() -> Checkpoint.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(path + ": expected a safetensors or GGUF file, found " + found);
    }

    @Test
    void headerLengthThatLooksLikeAnotherFormatIsStillSafetensors() throws Exception {
        // 0x8b1f = 35615: the length's first bytes are those of a gzip file.
        String header = "{" + entry("t", "U8", "[1]", 0, 1) + "}";
        byte[] padded = (header + " ".repeat(0x8b1f - header.length())).getBytes(StandardCharsets.UTF_8);
        try (Checkpoint checkpoint = open(file(padded, 1))) {
            assertThat(checkpoint.tensors()).hasSize(1);
        }
    }

    @Test
    void directoryWithoutACheckpointIsReportedWithWhatItHolds() throws Exception {
        String expected =
                directory + ": expected model.safetensors, model.safetensors.index.json or one GGUF model, found ";
        String remedy = "; name the directory of one checkpoint, or a checkpoint file";
        assertThatThrownBy(() -> Checkpoint.open(directory)).hasMessage(expected + "none of them" + remedy);
        for (String name : new String[] {"a.gguf", "b.gguf", "pytorch_model.bin", "README.md"}) {
            Files.createFile(directory.resolve(name));
        }
        assertThatThrownBy(() -> Checkpoint.open(directory))
                .hasMessage(expected + "a.gguf, b.gguf, pytorch_model.bin" + remedy);
    }

    @Test
    void emptyGgufFileIsRefusedAsSuch() throws Exception {
        Path path = Files.createFile(directory.resolve("model.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(path
                        + ": header: expected 4 bytes from byte 0, found a file of 0 bytes; the file is truncated or"
                        + " damaged, download it again");
    }

    @Test
    void pathThatIsNoFileIsRefused() {
        Path absent = directory.resolve("absent");
        assertThatThrownBy(() -> Checkpoint.open(absent))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(absent + ": expected a checkpoint directory or file, found nothing; correct the path");
        assertThatThrownBy(() -> Checkpoint.open(Path.of("/dev/null")))
                .hasMessage("/dev/null: expected a checkpoint directory or file, found neither; correct the path");
    }

    private Checkpoint open(String... names) throws Exception {
        String header = IntStream.range(0, names.length)
                .mapToObj(i -> entry(names[i], "U8", "[1]", i, i + 1L))
                .collect(Collectors.joining(",", "{", "}"));
        return open(file(header, names.length));
    }

    private Checkpoint open(byte[] bytes) throws Exception {
        return Checkpoint.open(SafetensorsBytes.write(directory, "f.safetensors", bytes));
    }

    private void assertRefused(ThrowingCallable call, String message) {
        assertThatThrownBy(call)
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(directory.resolve("f.safetensors") + message);
    }
}
