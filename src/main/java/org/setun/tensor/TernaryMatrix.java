package org.setun.tensor;

import java.lang.foreign.Arena;
import java.util.Arrays;

/**
 * A packed ternary matrix {@code [rows, columns]}: every weight is {@code scale * t} with {@code t} in {-1, 0, 1}. How the trits
 * lie in memory is a {@link TernaryLayout}, which the kernel that multiplies them chooses.
 *
 * <p>Immutable once built and safe for use by several threads; valid while the arena that it was built in is open.
 */
public sealed interface TernaryMatrix permits CellMatrix, Base3Matrix {

    /** Returns the number of rows: the outputs of a product. */
    int rows();

    /** Returns the number of columns: the inputs of a product. */
    int columns();

    /** Returns the factor of every trit. */
    float scale();

    /** Returns how many of the {@code rows * columns} weights are zero. */
    long zeros();

    /** Returns how many of the {@code rows * columns} weights are negative. */
    long negatives();

    /** Returns the size of the packed weights, which a product reads once. */
    long byteSize();

    /** Returns the rows that a product cannot split: threads take runs of rows that begin at multiples of this. */
    int rowBlock();

    /** Returns the trit at ({@code row}, {@code column}): -1, 0 or 1. */
    int trit(int row, int column);

    /** Unpacks row {@code row} to {@code trits[offset .. offset + columns)}. */
    void readRow(int row, byte[] trits, int offset);

    /**
     * Packs a matrix row by row. Rows may come in any order and from several threads; each row must be set by one
     * thread, and all of them happen-before {@link #build}. A row never set is zero.
     */
    sealed interface Builder permits CellMatrix.Builder, Base3Matrix.Builder {

        /**
         * Sets row {@code row} to {@code trits[offset .. offset + columns)}, each -1, 0 or 1.
         *
         * @throws IllegalArgumentException if a value is no trit
         */
        Builder setRow(int row, byte[] trits, int offset);

        /**
         * Sets rows {@code [firstRow, firstRow + count)} as {@link #setRow} does: several times as fast, where they are 64 that begin at a
         * multiple of 64, or the last, and eight bytes follow the last of them in {@code trits}.
         *
         * @param trits row {@code firstRow + i} is {@code trits[offset + i * stride .. + columns)}
         */
        default Builder setRows(int firstRow, int count, byte[] trits, int offset, int stride) {
            for (int i = 0; i < count; i++) {
                setRow(firstRow + i, trits, offset + i * stride);
            }
            return this;
        }

        /** Returns the matrix; the builder must not be used afterwards. */
        TernaryMatrix build(float scale);
    }

    /** Returns a matrix of the given trits {@code [rows][columns]}, for tests and small tables. */
    static TernaryMatrix of(TernaryLayout layout, byte[][] trits, float scale, Arena arena) {
        Builder builder = layout.builder(trits.length, trits[0].length, arena);
        for (int row = 0; row < trits.length; row++) {
            builder.setRow(row, Arrays.copyOf(trits[row], trits[0].length), 0);
        }
        return builder.build(scale);
    }

    /** Checks a size before anything is allocated. */
    static void requireNotEmpty(int rows, int columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("empty ternary matrix [" + rows + ", " + columns + "]");
        }
    }

    /**
     * Checks the row {@code trits[offset .. offset + columns)} that is to be packed.
     *
     * @throws IllegalArgumentException naming the first value that is no trit
     */
    static void requireTrits(byte[] trits, int offset, int row, int columns) {
        for (int column = 0; column < columns; column++) {
            int trit = trits[offset + column];
            if (trit < -1 || trit > 1) {
                throw new IllegalArgumentException("row " + row + ", column " + column + ": " + trit + " is no trit");
            }
        }
    }
}
