package org.setun.architecture;

import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.tensor.FloatMatrix;

/**
 * Trits that the checkpoint stores as the floats -1, 0 and 1.
 *
 * @param tensor where they are stored, for messages
 * @param values the floats
 * @param scales the factors of the trits
 */
record FloatTrits(StoredTensor tensor, FloatMatrix values, TritScales scales) implements TernarySource {

    @Override
    public void readRow(int row, byte[] trits, int offset) throws CheckpointFormatException {
        float[] floats = new float[values.columns()];
        values.readRow(row, floats, 0);
        for (int c = 0; c < floats.length; c++) {
            float value = floats[c];
            if (value != 0 && Math.abs(value) != 1) {
                throw CheckpointFormatException.mismatch(
                        tensor.where() + ", row " + row + ", column " + c,
                        "-1, 0 or 1, as config.json says that the weights are ternary already",
                        value,
                        "take config.json and the weights from the same model");
            }
            trits[offset + c] = (byte) value;
        }
    }
}
