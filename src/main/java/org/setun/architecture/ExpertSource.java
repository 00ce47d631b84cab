package org.setun.architecture;

import org.setun.checkpoint.CheckpointFormatException;

/** A table of ternary rows in a checkpoint, each with a scale, read row by row. Safe for use by several threads. */
interface ExpertSource {

    /**
     * Reads row {@code row} to {@code trits[offset .. offset + columns)}.
     *
     * @return the factor of its trits
     * @throws CheckpointFormatException if a code there stands for no trit, or the scale or a weight is not finite
     */
    float readRow(int row, byte[] trits, int offset) throws CheckpointFormatException;

    /**
     * Returns the factor of the trits of row {@code row}.
     *
     * @throws CheckpointFormatException if it, or a weight that it is computed from, is not finite
     */
    float scale(int row) throws CheckpointFormatException;
}
