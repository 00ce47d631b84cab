package org.setun.architecture;

import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;

/**
 * Trits that the checkpoint stores packed.
 *
 * @param packed the tensor of the packed bytes
 * @param packing how a byte holds trits
 * @param rows rows of the unpacked matrix
 * @param columns columns of the unpacked matrix
 * @param scales the factors of the trits
 */
record PackedTrits(StoredTensor packed, TernaryPacking packing, int rows, int columns, TritScales scales)
        implements TernarySource {

    @Override
    public void readRow(int row, byte[] trits, int offset) throws CheckpointFormatException {
        packing.unpackRow(packed, rows, columns, row, trits, offset);
    }
}
