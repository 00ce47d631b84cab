package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SplitGgufTest {

    private static final int U16 = 2;
    private static final String OTHER = "; the file was written by other rules, convert the model again";

    @TempDir
    Path directory;

    @BeforeEach
    void writeThreeParts() throws Exception {
        // As llama.cpp can be told to, the first part holds the metadata and no tensor.
        write(1, part(0).u32("split.tensors.count", 3).string("general.name", "x"));
        write(2, part(1).tensor("a", 0, value(1), 1).tensor("b", 0, value(2), 1));
        write(3, part(2).tensor("c", 0, value(3), 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void anyPartOpensAll(int part) throws Exception {
        try (Checkpoint checkpoint = Checkpoint.open(path(part))) {
            assertAll(checkpoint);
            assertThat(checkpoint.location()).isEqualTo(path(part).toString());
        }
    }

    @Test
    void directoryOpensItsOneModel() throws Exception {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertAll(checkpoint);
        }
        Files.write(directory.resolve("other.gguf"), new GgufBytes().build());
        assertThatThrownBy(() -> Checkpoint.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(directory + ": expected model.safetensors, model.safetensors.index.json or one GGUF model,"
                        + " found m-00001-of-00003.gguf, m-00002-of-00003.gguf, m-00003-of-00003.gguf; name the directory"
                        + " of one checkpoint, or a checkpoint file");
    }

    @Test
    void missingPartIsNamed() throws Exception {
        Files.delete(path(2));
        assertRefused(path(1) + ": part m-00002-of-00003.gguf is missing; download it into the same directory");
    }

    @Test
    void renamedPartIsRefused() throws Exception {
        Path renamed = Files.move(path(1), directory.resolve("model.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(renamed))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(renamed + ": expected the name of one of 3 parts, as in model-00001-of-00003.gguf, found"
                        + " model.gguf; give the parts the names they were published with");
    }

    @Test
    void partInTheWrongPlaceIsRefused() throws Exception {
        write(3, part(1).tensor("c", 0, value(3), 1));
        assertRefused(path(3) + ": metadata split.no: expected 2, found 1" + OTHER);
    }

    @Test
    void tensorInTwoPartsIsRefused() throws Exception {
        write(3, part(2).tensor("a", 0, value(3), 1));
        assertRefused(path(3)
                + ": tensor a: an earlier part has a tensor of that name; the file is damaged, download it" + " again");
    }

    @Test
    void wrongNumberOfTensorsIsRefused() throws Exception {
        write(3, part(2));
        assertRefused(
                path(1) + ": metadata split.tensors.count: expected 2, as many as the parts have, found 3" + OTHER);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> Checkpoint.open(path(1)))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(message);
    }

    private static void assertAll(Checkpoint checkpoint) throws CheckpointFormatException {
        assertThat(checkpoint.tensors()).extracting(StoredTensor::name).containsExactly("a", "b", "c");
        assertThat(checkpoint.require("b").floats()).containsExactly(2);
        assertThat(checkpoint.require("c").floats()).containsExactly(3);
        assertThat(checkpoint.metadata()).containsEntry("general.name", "x");
    }

    private static GgufBytes part(int number) {
        return new GgufBytes()
                .key("split.no", U16, new byte[] {(byte) number, 0})
                .key("split.count", U16, new byte[] {3, 0});
    }

    private static byte[] value(float value) {
        return GgufBytes.ints(Float.floatToIntBits(value));
    }

    private void write(int part, GgufBytes bytes) throws Exception {
        Files.write(path(part), bytes.build());
    }

    private Path path(int part) {
        return directory.resolve("m-0000" + part + "-of-00003.gguf");
    }
}
