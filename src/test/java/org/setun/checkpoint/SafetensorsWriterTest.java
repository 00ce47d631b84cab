package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.setun.checkpoint.SafetensorsWriter.Declaration;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

final class SafetensorsWriterTest {

    @TempDir
    Path directory;

    @Test
    void whatIsWrittenReadsBack() throws Exception {
        Path file = directory.resolve("model.safetensors");
        float[] values = {1.5f, -0f, Float.MIN_VALUE, Float.MAX_VALUE, Float.NEGATIVE_INFINITY, 3};
        byte[] large = new byte[3_000_001];
        new Random(3).nextBytes(large);
        List<Declaration> tensors = List.of(
                new Declaration("values", ElementType.F32, Shape.of(2, 3)),
                new Declaration("scalar \"ü😀\\", ElementType.I64, Shape.of()),
                new Declaration("empty", ElementType.F16, Shape.of(4, 0)),
                new Declaration("large", ElementType.U8, Shape.of(large.length)),
                new Declaration("empty last", ElementType.BOOL, Shape.of(0)));
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt", "note", "ä"))) {
            writer.write("values", values);
            writer.write("scalar \"ü😀\\", new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
            writer.write("empty", new byte[0]);
            // Chunks that are smaller and larger than the writer's buffer.
            writer.write("large", MemorySegment.ofArray(large).asSlice(0, 7));
            writer.write("large", MemorySegment.ofArray(large).asSlice(7, 2_000_000));
            writer.write("large", MemorySegment.ofArray(large).asSlice(2_000_007));
            writer.finish();
        }

        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.metadata()).isEqualTo(Map.of("format", "pt", "note", "ä"));
            assertThat(checkpoint.tensors())
                    .extracting(StoredTensor::name)
                    .containsExactly("values", "scalar \"ü😀\\", "empty", "large", "empty last");
            assertThat(checkpoint.require("values", Shape.of(2, 3)).floats()).isEqualTo(values);
            StoredTensor scalar = checkpoint.require("scalar \"ü😀\\", Shape.of());
            assertThat(scalar.type()).isEqualTo(ElementType.I64);
            assertThat(scalar.bytes().toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(checkpoint.require("empty", Shape.of(4, 0)).floats()).isEmpty();
            assertThat(checkpoint.require("large").bytes().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(large);
        }
        assertThat(directory.toFile().list()).containsExactly("model.safetensors");
    }

    @Test
    void anInterruptedWriterGoesOnAfterItsLastCompleteTensor() throws Exception {
        Path whole = directory.resolve("whole");
        try (var writer = SafetensorsWriter.create(whole, THREE, Map.of())) {
            writeFrom(0, writer);
            writer.finish();
        }
        Path file = directory.resolve("resumed");
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "a b")) {
            assertThat(writer.completeTensors()).isZero();
            writer.write("first", new byte[] {1, 2, 3});
            writer.write("second", new byte[] {4});
        }
        assertThat(file).doesNotExist();
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "a b")) {
            assertThat(writer.completeTensors()).isEqualTo(2); // and the empty one
            writeFrom(2, writer);
            writer.finish();
        }

        assertThat(file).hasSameBinaryContentAs(whole);
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("whole", "resumed");
    }

    @Test
    void whatAnInterruptedWriterLeftIsTakenOnlyIfItIsTheSameAndWhole() throws Exception {
        Path file = directory.resolve("resumed");
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "a")) {
            writeFrom(0, writer);
        }
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "another")) {
            assertThat(writer.completeTensors()).isZero();
            writeFrom(0, writer);
        }
        try (var writer = SafetensorsWriter.resume(file, THREE.reversed(), Map.of(), "another")) {
            assertThat(writer.completeTensors()).isZero();
        }
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "a")) {
            writeFrom(0, writer);
        }
        Path partial = directory.resolve("resumed.partial");
        byte[] bytes = Files.readAllBytes(partial);
        bytes[bytes.length - 1] ^= 1;
        Files.write(partial, bytes);
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "a")) {
            assertThat(writer.completeTensors()).isEqualTo(2);
        }
    }

    @Test
    void twoWritersOfOneFileExcludeEachOther() throws Exception {
        Path file = directory.resolve("resumed");
        try (var writer = SafetensorsWriter.resume(file, THREE, Map.of(), "a")) {
            assertThat(writer.completeTensors()).isZero();
            assertThatThrownBy(() -> SafetensorsWriter.resume(file, THREE, Map.of(), "a"))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageContaining("another process is writing here");
        }
    }

    private static final List<Declaration> THREE = List.of(
            new Declaration("first", ElementType.U8, Shape.of(3)),
            new Declaration("empty", ElementType.U8, Shape.of(0)),
            new Declaration("second", ElementType.U8, Shape.of(2)));

    private static void writeFrom(int tensor, SafetensorsWriter writer) throws Exception {
        if (tensor == 0) {
            writer.write("first", new byte[] {1, 2, 3});
        }
        writer.write("second", new byte[] {4, 5});
    }

    @Test
    void dataBeginAtAMultipleOfEight() throws Exception {
        for (int length = 1; length <= 9; length++) {
            String name = "n".repeat(length);
            Path file = directory.resolve("model.safetensors");
            var tensor = new Declaration(name, ElementType.U8, Shape.of(1));
            try (var writer = SafetensorsWriter.create(file, List.of(tensor), Map.of())) {
                writer.write(name, new byte[1]);
                writer.finish();
            }
            byte[] bytes = Files.readAllBytes(file);
            long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertThat(header % 8).isZero();
            assertThat(bytes).hasSize((int) (8 + header + 1));
        }
    }

    @Test
    void fileWithoutTensorsReadsBack() throws Exception {
        Path file = directory.resolve("model.safetensors");
        try (var writer = SafetensorsWriter.create(file, List.of(), Map.of())) {
            writer.finish();
        }
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(checkpoint.tensors()).isEmpty();
            assertThat(checkpoint.metadata()).isEmpty();
        }
    }

    @Test
    void unfinishedFileLeavesTheOldOneAndNothingElse() throws Exception {
        Path file = Files.writeString(directory.resolve("model.safetensors"), "old");
        try (var writer = writerOf4Bytes(file)) {
            writer.write("t", new byte[4]);
        }
        assertThat(file).hasContent("old");
        assertThat(directory.toFile().list()).containsExactly("model.safetensors");
    }

    @Test
    void finishingReplacesTheOldFile() throws Exception {
        Path file = Files.writeString(directory.resolve("model.safetensors"), "old");
        SafetensorsWriter writer = writerOf4Bytes(file);
        try (writer) {
            writer.write("t", new byte[4]);
            writer.finish();
        }
        writer.close();
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(checkpoint.tensors()).hasSize(1);
        }
    }

    @Test
    void incompleteTensorCannotBeFinished() throws Exception {
        try (var writer = writerOf4Bytes(directory.resolve("f"))) {
            writer.write("t", new byte[3]);
            assertThatIllegalStateException()
                    .isThrownBy(writer::finish)
                    .withMessage("tensor t: expected 4 bytes, found 3");
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void bytesOutOfTurnAreRefused() throws Exception {
        try (var writer = writerOf4Bytes(directory.resolve("f"))) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write("u", new byte[1]))
                    .withMessage("expected bytes of tensor t, found those of u");
            writer.write("t", new byte[3]);
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write("t", new byte[2]))
                    .withMessage("tensor t: expected 4 bytes, found 5");
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write("t", new float[1]))
                    .withMessage("tensor t: declared as U8, found F32 values");
            writer.write("t", new byte[1]);
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write("t", new byte[1]))
                    .withMessage("all 1 declared tensors are complete");
        }
    }

    @Test
    void namesMustDiffer() {
        var tensor = new Declaration("t", ElementType.U8, Shape.of(1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SafetensorsWriter.create(directory.resolve("f"), List.of(tensor, tensor), Map.of()))
                .withMessage("tensor name t is taken");
        var reserved = new Declaration("__metadata__", ElementType.U8, Shape.of(1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SafetensorsWriter.create(directory.resolve("f"), List.of(reserved), Map.of()))
                .withMessage("tensor name __metadata__ is taken");
        assertThat(directory).isEmptyDirectory();
    }

    private static SafetensorsWriter writerOf4Bytes(Path file) throws IOException {
        return SafetensorsWriter.create(file, List.of(new Declaration("t", ElementType.U8, Shape.of(4))), Map.of());
    }
}
