package org.setun.tensor;

import java.lang.foreign.Arena;

/** How the weights of a {@link TernaryMatrix} lie in memory. */
public sealed interface TernaryLayout {

    /** Returns the bytes that a matrix of this size takes. */
    long packedBytes(int rows, int columns);

    /**
     * Starts a matrix.
     *
     * @param arena where it lies; the caller's, who keeps it open for the matrix's lifetime
     * @throws IllegalArgumentException if a size is less than 1
     */
    TernaryMatrix.Builder builder(int rows, int columns, Arena arena);

    /** Two bits a weight, in cells of 32 rows by 8 columns: see {@link CellMatrix}. */
    record Cells() implements TernaryLayout {

        @Override
        public long packedBytes(int rows, int columns) {
            return CellMatrix.packedBytes(rows, columns);
        }

        @Override
        public TernaryMatrix.Builder builder(int rows, int columns, Arena arena) {
            return new CellMatrix.Builder(rows, columns, arena);
        }
    }

    /**
     * Eight bits for five weights, in panels that are read from their first to their last byte: see {@link Base3Matrix}.
     *
     * @param panels the number of panels where there are rows enough, one for each thread that shares a product
     */
    record Base3(int panels) implements TernaryLayout {

        public Base3 {
            if (panels < 1) {
                throw new IllegalArgumentException("expected 1 panel or more, found " + panels);
            }
        }

        @Override
        public long packedBytes(int rows, int columns) {
            return Base3Matrix.packedBytes(rows, columns);
        }

        @Override
        public TernaryMatrix.Builder builder(int rows, int columns, Arena arena) {
            return new Base3Matrix.Builder(rows, columns, panels, arena);
        }
    }
}
