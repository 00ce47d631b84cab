package org.setun.architecture;

import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.tensor.FloatMatrix;

/**
 * Float masters of expert rows made ternary on the way, as {@link AbsmeanTrits} but with the mean magnitude of the row as its
 * unit, so that experts that are seldom chosen do not share a scale with busy ones.
 *
 * @param stored the tensor of the masters, for messages
 * @param masters {@code [experts, columns]}
 */
record AbsmeanExperts(StoredTensor stored, FloatMatrix masters) implements ExpertSource {

    @Override
    public float readRow(int row, byte[] trits, int offset) throws CheckpointFormatException {
        float scale = scale(row);
        new AbsmeanTrits(masters, 0, scale).readRow(row, trits, offset);
        return scale;
    }

    @Override
    public float scale(int row) throws CheckpointFormatException {
        float[] weights = new float[masters.columns()];
        masters.readRow(row, weights, 0);
        double sum = 0;
        for (float weight : weights) {
            sum += Math.abs(weight);
        }
        if (!Double.isFinite(sum)) {
            throw CheckpointFormatException.invalid(
                    stored.where() + ", row " + row, "a weight there is not finite", TensorReader.DAMAGED);
        }
        return Math.max((float) (sum / weights.length), TensorReader.MIN_SCALE);
    }
}
