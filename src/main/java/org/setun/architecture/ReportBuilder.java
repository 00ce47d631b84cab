package org.setun.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.model.KeyValueFormat;
import org.setun.tensor.ElementType;
import org.setun.tensor.TernaryColumns;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;
import org.setun.tensor.TernaryTable;

/** Collects what a model consists of while its tensors are gone through. */
final class ReportBuilder {

    private final TernaryLayout layout;
    private final List<ModelReport.Ternary> ternary = new ArrayList<>();
    private long loadedBytes;

    /** @param layout of ternary matrices once loaded */
    ReportBuilder(TernaryLayout layout) {
        this.layout = layout;
    }

    void addValues(int count) {
        loadedBytes += (long) count * Float.BYTES;
    }

    void addMatrix(ElementType type, FloatPlacement placement, int rows, int columns) {
        long elements = (long) rows * columns;
        loadedBytes += placement.inFile() ? 0 : elements * type.bytes();
        loadedBytes += placement.screened() ? elements : 0;
    }

    /** Adds a ternary matrix that was cut into runs of columns. */
    void addTernary(String name, List<TernaryMatrix> runs) {
        int columns = runs.stream().mapToInt(TernaryMatrix::columns).sum();
        long zeros = runs.stream().mapToLong(TernaryMatrix::zeros).sum();
        long negatives = runs.stream().mapToLong(TernaryMatrix::negatives).sum();
        addTernary(new ModelReport.Ternary(name, runs.getFirst().rows(), columns, zeros, negatives), runs.size());
    }

    /** Adds a ternary matrix that would be cut into {@code runs} equal runs of columns. */
    void addTernary(ModelReport.Ternary matrix, int runs) {
        ternary.add(matrix);
        loadedBytes += runs * layout.packedBytes(matrix.rows(), matrix.columns() / runs);
    }

    /** Adds what a ternary matrix takes once more where it is kept by columns as well. */
    void addColumns(int rows, int columns) {
        loadedBytes += TernaryColumns.packedBytes(rows, columns);
    }

    /** Returns the report of a checkpoint that becomes the model of {@code spec}, with keys and values in {@code format}. */
    ModelReport build(OpenCheckpoint checkpoint, ModelSpec spec, KeyValueFormat format)
            throws CheckpointFormatException {
        return build(checkpoint.family(), checkpoint.architecture(), stored(checkpoint), spec, format);
    }

    /** Returns the report of a model of a published shape with weights of no meaning, with keys and values in {@code format}. */
    ModelReport build(NamedShape shape, KeyValueFormat format) {
        return build(TernaryRecipe.MODEL_TYPE, shape.shapeName(), List.of(), shape.spec(), format);
    }

    private ModelReport build(
            String family,
            String architecture,
            List<ModelReport.Stored> stored,
            ModelSpec spec,
            KeyValueFormat format) {
        return new ModelReport(
                family,
                architecture,
                LayerDescription.of(spec.layers()),
                spec.layers().size(),
                spec.parameters(),
                experts(spec),
                loadedBytes,
                ModelReport.Sequence.of(spec, format),
                stored,
                ternary,
                Optional.empty());
    }

    private static int experts(ModelSpec spec) {
        return spec.layers().stream()
                .mapToInt(layer -> layer.channel() instanceof ChannelSpec.Peer peer ? peer.numExperts() : 0)
                .max()
                .orElse(0);
    }

    void addExperts(ModelReport.Ternary table) {
        ternary.add(table);
        loadedBytes += TernaryTable.packedBytes(table.rows(), table.columns());
    }

    /**
     * Returns the report of a checkpoint that does not become a model.
     *
     * @param parameters the number of weights
     * @param obstacle why
     */
    ModelReport build(OpenCheckpoint checkpoint, long parameters, String obstacle) throws CheckpointFormatException {
        return new ModelReport(
                checkpoint.family(),
                checkpoint.architecture(),
                List.of(),
                0,
                parameters,
                0,
                0,
                ModelReport.Sequence.NONE,
                stored(checkpoint),
                List.of(),
                Optional.of(obstacle));
    }

    private static List<ModelReport.Stored> stored(OpenCheckpoint checkpoint) {
        return checkpoint.tensors().tensors().stream()
                .map(tensor -> new ModelReport.Stored(
                        tensor.name(),
                        tensor.type(),
                        tensor.shape(),
                        tensor.bytes().byteSize()))
                .toList();
    }
}
