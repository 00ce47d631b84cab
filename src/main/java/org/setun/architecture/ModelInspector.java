package org.setun.architecture;

import java.io.IOException;
import java.nio.file.Path;
import org.setun.architecture.CanonicalTensor.Embedding;
import org.setun.architecture.CanonicalTensor.Experts;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.architecture.CanonicalTensor.Values;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.kernel.WorkerPool;
import org.setun.model.KeyValueFormat;
import org.setun.tensor.ElementType;
import org.setun.tensor.TernaryLayout;

/** Looks into a checkpoint without loading it. */
public final class ModelInspector {

    private static final int TRITS_PER_BYTE = 4;

    private ModelInspector() {}

    /**
     * Reads through all weights and counts. A checkpoint that does not become a model, be it damaged or of a family that this
     * version does not run, is reported with the reason.
     *
     * @param path a checkpoint directory, or a file of tensors with its config.json beside it
     * @param layout that ternary weights would have in memory
     * @param progress told of every tensor that has been read
     * @throws CheckpointFormatException if the path holds no checkpoint whose tensors and configuration can be listed
     * @throws IOException if a file cannot be read
     */
    public static ModelReport inspect(Path path, TernaryLayout layout, LoadProgress progress)
            throws CheckpointFormatException, IOException {
        try (OpenCheckpoint checkpoint = OpenCheckpoint.open(path);
                WorkerPool workers = WorkerPool.of(1)) {
            try {
                return read(checkpoint, layout, workers, progress);
            } catch (CheckpointFormatException e) {
                return unread(checkpoint, layout, e);
            }
        }
    }

    private static ModelReport read(
            OpenCheckpoint checkpoint, TernaryLayout layout, WorkerPool workers, LoadProgress progress)
            throws CheckpointFormatException {
        Recipe recipe = checkpoint.recipe();
        ModelSpec spec = recipe.spec();
        checkpoint.tensors().verifyChecksum();
        double maxActivationSparsity = LoadOptions.of(KeyValueFormat.F32).limit(spec);
        ReportBuilder report = new ReportBuilder(layout);
        TensorReader reader = new TensorReader(checkpoint.tensors(), workers);
        WeightSource source = recipe.weights(reader);
        long totalBytes = reader.totalBytes();
        for (CanonicalTensor tensor : CanonicalTensors.of(spec).values()) {
            read(tensor, spec, source, report);
            if (tensor instanceof Linear linear && linear.keptByColumns(maxActivationSparsity)) {
                report.addColumns(linear.rows(), linear.columns());
            }
            progress.update(tensor.name(), reader.bytesRead(), totalBytes);
        }
        checkpoint.tensors().requireAllUsed();
        return report.build(checkpoint, spec, KeyValueFormat.F32);
    }

    private static void read(CanonicalTensor tensor, ModelSpec spec, WeightSource source, ReportBuilder report)
            throws CheckpointFormatException {
        switch (tensor) {
            case Values values -> report.addValues(source.values(values.name(), values.shape()).length);
            case Embedding embedding ->
                addMatrix(embedding.name(), embedding.rows(), embedding.columns(), spec, source, report);
            case Linear linear -> {
                if (linear.storage() == LinearStorage.FLOAT) {
                    addMatrix(linear.weightName(), linear.rows(), linear.columns(), spec, source, report);
                } else {
                    addTernary(linear, source.ternary(linear), report);
                }
            }
            case Experts experts -> {
                if (experts.storage() == LinearStorage.FLOAT) {
                    addMatrix(experts.weightName(), experts.rows(), experts.columns(), spec, source, report);
                } else {
                    report.addExperts(counted(experts, source));
                }
            }
        }
    }

    private static void addMatrix(
            String name, int rows, int columns, ModelSpec spec, WeightSource source, ReportBuilder report)
            throws CheckpointFormatException {
        FloatSource stored = source.matrix(name, rows, columns);
        report.addMatrix(stored.type(), FloatPlacement.of(name, stored, spec, HeadMode.AUTO), rows, columns);
    }

    private static void addTernary(Linear linear, TernarySource trits, ReportBuilder report)
            throws CheckpointFormatException {
        int runs = 1;
        if (trits.scales() instanceof TritScales.Blocks blocks) {
            runs = linear.columns() / blocks.blockColumns();
            report.addValues(blocks.values().length);
        }
        report.addTernary(counted(linear, trits), runs);
    }

    private static ModelReport.Ternary counted(Linear linear, TernarySource trits) throws CheckpointFormatException {
        byte[] row = new byte[linear.columns()];
        long zeros = 0;
        long negatives = 0;
        for (int r = 0; r < linear.rows(); r++) {
            trits.readRow(r, row, 0);
            zeros += count(row, 0);
            negatives += count(row, -1);
        }
        return new ModelReport.Ternary(linear.name(), linear.rows(), linear.columns(), zeros, negatives);
    }

    private static ModelReport.Ternary counted(Experts experts, WeightSource source) throws CheckpointFormatException {
        ExpertSource rows = source.experts(experts);
        byte[] row = new byte[experts.columns()];
        long zeros = 0;
        long negatives = 0;
        for (int r = 0; r < experts.rows(); r++) {
            rows.readRow(r, row, 0);
            zeros += count(row, 0);
            negatives += count(row, -1);
        }
        return new ModelReport.Ternary(experts.name(), experts.rows(), experts.columns(), zeros, negatives);
    }

    private static int count(byte[] trits, int value) {
        int count = 0;
        for (byte trit : trits) {
            count += trit == value ? 1 : 0;
        }
        return count;
    }

    /** Reports what can be said of a checkpoint that does not become a model. */
    private static ModelReport unread(
            OpenCheckpoint checkpoint, TernaryLayout layout, CheckpointFormatException obstacle)
            throws CheckpointFormatException {
        long parameters = 0;
        for (StoredTensor tensor : checkpoint.tensors().tensors()) {
            // Ternary models store bytes only as packed trits.
            long perElement = tensor.type() == ElementType.U8 ? TRITS_PER_BYTE : 1;
            parameters += tensor.shape().elements() * perElement;
        }
        return new ReportBuilder(layout).build(checkpoint, parameters, String.valueOf(obstacle.getMessage()));
    }
}
