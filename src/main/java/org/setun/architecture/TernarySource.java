package org.setun.architecture;

import org.setun.checkpoint.CheckpointFormatException;

/** A ternary matrix in a checkpoint, read row by row. Safe for use by several threads. */
interface TernarySource {

    /** Returns the factors of the trits. */
    TritScales scales();

    /**
     * Reads row {@code row} to {@code trits[offset .. offset + columns)}.
     *
     * @throws CheckpointFormatException if a code there stands for no trit
     */
    void readRow(int row, byte[] trits, int offset) throws CheckpointFormatException;
}
