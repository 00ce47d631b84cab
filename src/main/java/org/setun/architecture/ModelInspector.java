package org.setun.architecture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.setun.architecture.CanonicalTensor.Embedding;
import org.setun.architecture.CanonicalTensor.Experts;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.architecture.CanonicalTensor.Values;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.kernel.WorkerPool;
import org.setun.tensor.ElementType;

/** Looks into a checkpoint without loading it. */
public final class ModelInspector {

    private static final int TRITS_PER_BYTE = 4;

    private ModelInspector() {}

    /**
     * Reads through all weights and counts. A model that this version understands and does not run yet is reported with
     * the reason.
     *
     * @param path a checkpoint directory, or a file of tensors with its config.json beside it
     * @param progress told of every tensor that has been read
     * @throws CheckpointFormatException if the checkpoint is damaged, or of an unknown family
     * @throws IOException if a file cannot be read
     */
    public static ModelReport inspect(Path path, LoadProgress progress) throws CheckpointFormatException, IOException {
        try (OpenCheckpoint checkpoint = OpenCheckpoint.open(path);
                WorkerPool workers = WorkerPool.of(1)) {
            Optional<String> obstacle = Supported.obstacle(checkpoint.family());
            if (obstacle.isPresent()) {
                return unread(checkpoint, obstacle);
            }
            Recipe recipe = Recipe.of(checkpoint.config());
            ModelSpec spec = recipe.spec();
            ReportBuilder report = new ReportBuilder();
            TensorReader reader = new TensorReader(checkpoint.tensors(), workers);
            WeightSource source = recipe.weights(reader);
            long totalBytes = reader.totalBytes();
            for (CanonicalTensor tensor : CanonicalTensors.of(spec).values()) {
                read(tensor, source, reader, report);
                progress.update(tensor.name(), reader.bytesRead(), totalBytes);
            }
            checkpoint.tensors().requireAllUsed();
            return report.build(checkpoint, spec.layers().size(), spec.parameters(), Supported.obstacle(spec));
        }
    }

    private static void read(CanonicalTensor tensor, WeightSource source, TensorReader reader, ReportBuilder report)
            throws CheckpointFormatException {
        switch (tensor) {
            case Values values -> report.addValues(source.values(values.name(), values.shape()).length);
            case Embedding embedding ->
                report.addMatrix(source.matrix(embedding.name(), embedding.rows(), embedding.columns()));
            case Linear linear -> {
                if (linear.storage() == LinearStorage.FLOAT) {
                    report.addMatrix(source.matrix(linear.weightName(), linear.rows(), linear.columns()));
                } else {
                    report.addTernary(linear.name(), linear.rows(), linear.columns(), zeros(linear, source));
                }
            }
            case Experts experts -> {
                // Counted by their stored size only, until a version runs them.
                reader.ignore(experts.name() + ".weight");
                reader.ignore(experts.name() + ".weight_scale");
            }
        }
    }

    private static long zeros(Linear linear, WeightSource source) throws CheckpointFormatException {
        TernarySource trits = source.ternary(linear);
        byte[] row = new byte[linear.columns()];
        long zeros = 0;
        for (int r = 0; r < linear.rows(); r++) {
            trits.readRow(r, row, 0);
            for (byte trit : row) {
                zeros += trit == 0 ? 1 : 0;
            }
        }
        return zeros;
    }

    /** Reports what can be said without knowing what the tensors mean. */
    private static ModelReport unread(OpenCheckpoint checkpoint, Optional<String> obstacle)
            throws CheckpointFormatException {
        long parameters = 0;
        for (StoredTensor tensor : checkpoint.tensors().tensors()) {
            // These families store bytes only as packed trits.
            long perElement = tensor.type() == ElementType.U8 ? TRITS_PER_BYTE : 1;
            parameters += tensor.shape().elements() * perElement;
        }
        int layers = checkpoint.config().integer("num_hidden_layers", 1, SizeLimits.LAYERS);
        return new ReportBuilder().build(checkpoint, layers, parameters, obstacle);
    }
}
