package org.setun.architecture;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;
import org.setun.kernel.WorkerPool;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.Shape;

/** Reads the tensors of one checkpoint by their stored names, and keeps count of the bytes for the progress. */
final class TensorReader {

    /** The least scale of a ternary matrix, so that a matrix of zeros has a reciprocal. */
    private static final float MIN_SCALE = 1e-5f;

    private static final String DAMAGED = "the file is damaged; download it again";

    private final Checkpoint checkpoint;
    private final WorkerPool workers;
    private final Map<String, Float> absmeans = new HashMap<>();
    private final Set<String> read = new HashSet<>();
    private long bytesRead;

    TensorReader(Checkpoint checkpoint, WorkerPool workers) {
        this.checkpoint = checkpoint;
        this.workers = workers;
    }

    /** Returns the checkpoint. */
    Checkpoint checkpoint() {
        return checkpoint;
    }

    /** Returns the size of all tensors that have been asked for. */
    long bytesRead() {
        return bytesRead;
    }

    /** Returns the size of all tensors. */
    long totalBytes() {
        return checkpoint.tensors().stream()
                .mapToLong(tensor -> tensor.bytes().byteSize())
                .sum();
    }

    /** Marks a tensor that files may hold and nobody needs. */
    void ignore(String name) {
        checkpoint.find(name).ifPresent(this::count);
    }

    /** Returns a small tensor's values. */
    float[] values(String name, Shape shape) throws CheckpointFormatException {
        StoredTensor tensor = count(checkpoint.require(name, shape));
        float[] values = tensor.floats();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw CheckpointFormatException.mismatch(
                        tensor.where() + ", element " + i, "a finite number", values[i], DAMAGED);
            }
        }
        return values;
    }

    /** Returns a view of a float matrix. */
    FloatMatrix matrix(String name, int rows, int columns) throws CheckpointFormatException {
        return count(checkpoint.require(name, Shape.of(rows, columns))).floatMatrix(rows, columns);
    }

    /** Returns the packed trits of a linear, with the scale that lies beside them. */
    TernarySource packed(CanonicalTensor.Linear linear) throws CheckpointFormatException {
        TernaryPacking packing = linear.storage()
                .packing()
                .orElseThrow(() -> new IllegalArgumentException(linear.name() + " is stored as " + linear.storage()));
        StoredTensor tensor =
                count(checkpoint.requirePacked(linear.weightName(), packing, linear.rows(), linear.columns()));
        float scale = values(linear.scaleName(), Shape.of(1))[0];
        return new PackedTrits(tensor, packing, linear.rows(), linear.columns(), scale);
    }

    /**
     * Returns rows {@code [firstRow, ...)} of the float matrix {@code [rows, columns]} as trits, with the scale of the
     * whole matrix.
     */
    AbsmeanTrits absmean(String name, int rows, int columns, int firstRow) throws CheckpointFormatException {
        FloatMatrix masters = matrix(name, rows, columns);
        Float known = absmeans.get(name);
        float scale = known != null ? known : absmean(name, masters);
        absmeans.put(name, scale);
        return new AbsmeanTrits(masters, firstRow, scale);
    }

    /** Sums in float64, in an order that does not depend on the number of threads. */
    private float absmean(String name, FloatMatrix masters) throws CheckpointFormatException {
        int rows = masters.rows();
        int columns = masters.columns();
        double[] rowSums = new double[rows];
        workers.forRange(rows, 1, (from, to) -> {
            float[] weights = new float[columns];
            for (int row = from; row < to; row++) {
                masters.readRow(row, weights, 0);
                double sum = 0;
                for (float weight : weights) {
                    sum += Math.abs(weight);
                }
                rowSums[row] = sum;
            }
        });
        double sum = 0;
        for (int row = 0; row < rows; row++) {
            if (!Double.isFinite(rowSums[row])) {
                throw CheckpointFormatException.invalid(
                        checkpoint.require(name).where() + ", row " + row, "a weight there is not finite", DAMAGED);
            }
            sum += rowSums[row];
        }
        return Math.max((float) (sum / ((double) rows * columns)), MIN_SCALE);
    }

    private StoredTensor count(StoredTensor tensor) {
        if (read.add(tensor.name())) {
            bytesRead += tensor.bytes().byteSize();
        }
        return tensor;
    }
}
