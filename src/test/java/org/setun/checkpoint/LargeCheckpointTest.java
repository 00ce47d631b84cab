package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.SafetensorsWriter.Declaration;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.Shape;

/** Reads files whose offsets do not fit into 32 bits; they are sparse, so that they take no room on the disk. */
final class LargeCheckpointTest {

    private static final long GIB = 1L << 30;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(longs = {2 * GIB + 4, 4 * GIB + 4, 7 * GIB})
    void tensorsBehindAndWithinALargeOneReadRight(long size) throws Exception {
        int columns = 2;
        int rows = (int) (size / (2L * columns));
        List<Declaration> tensors = List.of(
                new Declaration("embeddings", ElementType.BF16, Shape.of(rows, columns)),
                new Declaration("norm", ElementType.F32, Shape.of(2)));
        long data = tensors.stream().mapToLong(Declaration::bytes).sum();
        Path file = directory.resolve("model.safetensors");
        byte[] header = SafetensorsHeader.encode(tensors, Map.of());
        try (var out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(littleEndian(8).putLong(header.length).array());
            out.write(header);
            out.setLength(8 + header.length + data);
            out.seek(8 + header.length + data - 12);
            // The last row of the embeddings, then the norm.
            out.write(littleEndian(12)
                    .putShort((short) 0x3f80)
                    .putShort((short) 0xc000)
                    .putFloat(0.1f)
                    .putFloat(1e9f)
                    .array());
        }

        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.require("norm", Shape.of(2)).floats()).containsExactly(0.1f, 1e9f);
            StoredTensor embeddings = checkpoint.require("embeddings", Shape.of(rows, columns));
            assertThat(embeddings.bytes().byteSize()).isEqualTo(data - 8);
            assertThat(embeddings.bytes().get(ValueLayout.JAVA_BYTE, data - 8 - 1))
                    .isEqualTo((byte) 0xc0);
            FloatMatrix matrix = embeddings.floatMatrix(rows, columns);
            float[] row = new float[columns];
            matrix.readRow(rows - 1, row, 0);
            assertThat(row).containsExactly(1f, -2f);
            matrix.readRow(rows - 2, row, 0);
            assertThat(row).containsExactly(0f, 0f);
        }
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
