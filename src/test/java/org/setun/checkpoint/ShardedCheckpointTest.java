package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.SafetensorsWriter.Declaration;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

final class ShardedCheckpointTest {

    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";
    private static final String AGAIN = "; the file is damaged, download it again";

    @TempDir
    Path directory;

    private Path index = Path.of("");

    @BeforeEach
    void writeTwoShards() throws Exception {
        writeShard(FIRST, Map.of("format", "pt", "part", "1"), "b", "c");
        writeShard(SECOND, Map.of("format", "pt", "part", "2"), "a");
        index = directory.resolve("model.safetensors.index.json");
        writeIndex("\"a\":\"" + SECOND + "\",\"b\":\"" + FIRST + "\",\"c\":\"" + FIRST + "\"");
    }

    @Test
    void shardsReadAsOneCheckpoint() throws Exception {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.tensors()).extracting(StoredTensor::name).containsExactly("b", "c", "a");
            assertThat(checkpoint.require("c").floats()).containsExactly(2f);
            assertThat(checkpoint.require("a").floats()).containsExactly(1f);
            assertThat(checkpoint.require("a").location()).endsWith(SECOND);
            assertThat(checkpoint.metadata()).isEqualTo(Map.of("format", "pt", "part", "1"));
            assertThat(checkpoint.location()).isEqualTo(directory.toString());
        }
        try (Checkpoint checkpoint = Checkpoint.open(index)) {
            assertThat(checkpoint.tensors()).hasSize(3);
        }
    }

    @Test
    void singleFileIsPreferred() throws Exception {
        writeShard("model.safetensors", Map.of(), "single");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.tensors()).extracting(StoredTensor::name).containsExactly("single");
        }
    }

    @Test
    void missingShardIsNamed() throws Exception {
        Files.delete(directory.resolve(SECOND));
        assertRefused(index + ": shard " + SECOND + " is missing; download it into the same directory");
    }

    @Test
    void tensorThatItsShardLacksIsNamed() throws Exception {
        writeIndex("\"a\":\"" + SECOND + "\",\"b\":\"" + FIRST + "\",\"c\":\"" + FIRST + "\",\"d\":\"" + FIRST + "\"");
        assertRefused(index + ": expected tensor d in " + FIRST + ", found no such tensor there" + AGAIN);
    }

    @Test
    void tensorThatTheIndexLacksIsNamed() throws Exception {
        writeIndex("\"a\":\"" + SECOND + "\",\"b\":\"" + FIRST + "\"");
        assertRefused(directory.resolve(FIRST) + ": tensor c: expected the shard that " + index
                + " names, found no entry there" + AGAIN);
    }

    @Test
    void tensorInTwoShardsIsNamed() throws Exception {
        writeShard(SECOND, Map.of(), "a", "b");
        assertRefused(directory.resolve(SECOND) + ": tensor b: expected the shard that " + index + " names, found "
                + FIRST + " there" + AGAIN);
    }

    @Test
    void brokenShardIsNamed() throws Exception {
        Files.write(directory.resolve(SECOND), new byte[3]);
        assertRefused(directory.resolve(SECOND) + ": expected a safetensors file of at least 10 bytes, found 3 bytes"
                + AGAIN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../model.safetensors",
                "/etc/model.safetensors",
                "sub/model.safetensors",
                "..\\\\model.safetensors",
                "C:model.safetensors",
                ".hidden.safetensors",
                "model.bin",
                ""
            })
    void shardOutsideTheDirectoryIsRefused(String file) throws Exception {
        writeIndex("\"a\":\"" + file + "\"");
        assertRefused(index + ": weight_map: a: expected the plain name of a *.safetensors file, found "
                + file.replace("\\\\", "\\") + "; get the checkpoint from a source that you trust");
    }

    @Test
    void shardNameWithANulIsRefused() throws Exception {
        writeIndex("\"a\":\"x\\u0000.safetensors\"");
        assertRefused(index + ": weight_map: a: expected the plain name of a *.safetensors file, found x?.safetensors;"
                + " get the checkpoint from a source that you trust");
    }

    @Test
    void indexThatIsNoIndexIsRefused() throws Exception {
        Files.writeString(index, "weights");
        assertRefused(index + ": the text is not JSON near character 7" + AGAIN);
        Files.writeString(index, "");
        assertRefused(index + ": the JSON text ends early" + AGAIN);
        Files.writeString(index, "[]");
        assertRefused(index + ": expected a JSON object, found an array" + AGAIN);
        Files.writeString(index, "{\"metadata\":{\"total_size\":4}}");
        assertRefused(index + ": expected tensors in weight_map, found none" + AGAIN);
        Files.writeString(index, "{\"weight_map\":{\"a\":3}}");
        assertRefused(index + ": weight_map: a: expected a string, found an integer" + AGAIN);
        Files.writeString(index, "{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}");
        assertRefused(index + ": weight_map: a stands there twice" + AGAIN);
        Files.writeString(index, "{\"weight_map\":{\"a\":\"x\"},\"weight_map\":{}}");
        assertRefused(index + ": weight_map stands there twice" + AGAIN);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> Checkpoint.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(message);
    }

    private void writeIndex(String weightMap) throws Exception {
        Files.writeString(index, "{\"metadata\":{\"total_size\":12},\"weight_map\":{" + weightMap + "}}");
    }

    /** Writes a shard whose tensors are scalars that count from 1. */
    private void writeShard(String name, Map<String, String> metadata, String... tensors) throws Exception {
        List<Declaration> declarations = List.of(tensors).stream()
                .map(tensor -> new Declaration(tensor, ElementType.F32, Shape.of()))
                .toList();
        try (var writer = SafetensorsWriter.create(directory.resolve(name), declarations, metadata)) {
            for (int i = 0; i < tensors.length; i++) {
                writer.write(tensors[i], new float[] {i + 1});
            }
            writer.finish();
        }
    }
}
