package org.setun.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.TernaryMatrix;

/** Collects what a model consists of while its tensors are gone through. */
final class ReportBuilder {

    private final List<ModelReport.Ternary> ternary = new ArrayList<>();
    private long loadedBytes;

    void addValues(int count) {
        loadedBytes += (long) count * Float.BYTES;
    }

    void addMatrix(FloatMatrix matrix) {
        loadedBytes += matrix.segment().byteSize();
    }

    void addTernary(String name, int rows, int columns, long zeros) {
        ternary.add(new ModelReport.Ternary(name, rows, columns, zeros));
        loadedBytes += TernaryMatrix.packedBytes(rows, columns);
    }

    /**
     * Returns the report of a checkpoint.
     *
     * @param layers the number of layers
     * @param parameters the number of weights
     * @param obstacle why this version does not run the model
     */
    ModelReport build(OpenCheckpoint checkpoint, int layers, long parameters, Optional<String> obstacle)
            throws CheckpointFormatException {
        List<ModelReport.Stored> stored = checkpoint.tensors().tensors().stream()
                .map(tensor -> new ModelReport.Stored(
                        tensor.name(),
                        tensor.type(),
                        tensor.shape(),
                        tensor.bytes().byteSize()))
                .toList();
        return new ModelReport(
                checkpoint.family(),
                checkpoint.architecture(),
                layers,
                parameters,
                obstacle.isPresent() ? 0 : loadedBytes,
                stored,
                ternary,
                obstacle);
    }
}
