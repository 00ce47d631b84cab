package org.setun.architecture;

import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;

/**
 * Expert rows that the checkpoint stores packed.
 *
 * @param packed the tensor of the packed bytes
 * @param packing how a byte holds trits
 * @param rows the number of experts
 * @param columns the width of a row
 * @param scales a factor for each row, or one for all
 */
record PackedExperts(StoredTensor packed, TernaryPacking packing, int rows, int columns, StoredTensor scales)
        implements ExpertSource {

    @Override
    public float readRow(int row, byte[] trits, int offset) throws CheckpointFormatException {
        packing.unpackRow(packed, rows, columns, row, trits, offset);
        return scale(row);
    }

    @Override
    public float scale(int row) throws CheckpointFormatException {
        int elements = Math.toIntExact(scales.shape().elements());
        int index = elements == 1 ? 0 : row;
        float[] scale = new float[1];
        scales.floatMatrix(elements, 1).readRow(index, scale, 0);
        if (!Float.isFinite(scale[0])) {
            throw CheckpointFormatException.mismatch(
                    scales.where() + ", element " + index, "a finite number", scale[0], TensorReader.DAMAGED);
        }
        return scale[0];
    }
}
