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
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.Shape;

/** Reads the tensors of one checkpoint by their stored names, and keeps count of the bytes for the progress. */
final class TensorReader {

    /** The least scale of ternary weights, so that zeros alone have a reciprocal. */
    static final float MIN_SCALE = 1e-5f;

    static final String DAMAGED = "the file is damaged; download it again";

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

    /** Returns a float matrix that is stored as F32, F16 or BF16. */
    FloatSource floats(String name, int rows, int columns) throws CheckpointFormatException {
        StoredTensor tensor = count(checkpoint.require(name, Shape.of(rows, columns)));
        tensor.floatMatrix(rows, columns);
        return new FloatSource(tensor);
    }

    /** Returns a float matrix that may be stored in blocks too. */
    FloatSource anyFloats(String name, int rows, int columns) throws CheckpointFormatException {
        StoredTensor tensor = count(checkpoint.require(name, Shape.of(rows, columns)));
        return tensor.type().isBlock() ? new FloatSource(tensor) : floats(name, rows, columns);
    }

    /** Returns a view of a float matrix. */
    FloatMatrix matrix(String name, int rows, int columns) throws CheckpointFormatException {
        return count(checkpoint.require(name, Shape.of(rows, columns))).floatMatrix(rows, columns);
    }

    /** Returns a tensor as it is stored, whatever it is. */
    StoredTensor stored(String name) throws CheckpointFormatException {
        return count(checkpoint.require(name));
    }

    /** Returns packed trits {@code [rows, columns]}, with scales from elsewhere. */
    TernarySource packed(String name, TernaryPacking packing, int rows, int columns, TritScales scales)
            throws CheckpointFormatException {
        StoredTensor tensor = count(checkpoint.requirePacked(name, packing, rows, columns));
        return new PackedTrits(tensor, packing, rows, columns, scales);
    }

    /** Returns the packed trits of a linear, with the scales that lie beside them. */
    TernarySource packed(CanonicalTensor.Linear linear) throws CheckpointFormatException {
        TernaryPacking packing = linear.storage()
                .packing()
                .orElseThrow(() -> new IllegalArgumentException(linear.name() + " is stored as " + linear.storage()));
        return packed(linear.weightName(), packing, linear.rows(), linear.columns(), scales(linear));
    }

    /** Reads one scale, {@code [1]}, or one for each row and each of {@code n} runs of columns, {@code [rows, n]}. */
    private TritScales scales(CanonicalTensor.Linear linear) throws CheckpointFormatException {
        int rows = linear.rows();
        Shape shape = stored(linear.scaleName()).shape();
        int runs = shape.rank() == 2 ? (int) Math.min(shape.dimension(1), linear.columns()) : 0;
        if (runs < 1 || !TritScales.Blocks.fit(linear.columns(), runs)) {
            return new TritScales.Uniform(values(linear.scaleName(), Shape.of(1))[0]);
        }
        float[] byRow = values(linear.scaleName(), Shape.of(rows, runs));
        float[] byRun = new float[byRow.length];
        for (int i = 0; i < byRow.length; i++) {
            byRun[i % runs * rows + i / runs] = byRow[i];
        }
        return new TritScales.Blocks(linear.columns() / runs, byRun);
    }

    /** Returns the packed trits of a table of experts, with the scales that lie beside them: one a row, or one for all. */
    ExpertSource packed(CanonicalTensor.Experts experts) throws CheckpointFormatException {
        TernaryPacking packing = experts.storage()
                .packing()
                .orElseThrow(() -> new IllegalArgumentException(experts.name() + " is stored as " + experts.storage()));
        StoredTensor tensor =
                count(checkpoint.requirePacked(experts.weightName(), packing, experts.rows(), experts.columns()));
        StoredTensor scales = count(checkpoint.require(experts.scaleName()));
        if (!scales.shape().equals(Shape.of(1))) {
            scales.requireShape(Shape.of(experts.rows()));
        }
        scales.requireType(ElementType.F32);
        return new PackedExperts(tensor, packing, experts.rows(), experts.columns(), scales);
    }

    /** Returns the float rows of a table of experts as trits, each with a scale of its own. */
    ExpertSource absmean(CanonicalTensor.Experts experts) throws CheckpointFormatException {
        FloatMatrix masters = matrix(experts.weightName(), experts.rows(), experts.columns());
        return new AbsmeanExperts(checkpoint.require(experts.weightName()), masters);
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
