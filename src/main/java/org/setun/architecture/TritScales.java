package org.setun.architecture;

import org.setun.kernel.QuantizedActivations;

/** The factors of the trits of a matrix {@code [rows, columns]}. */
sealed interface TritScales {

    /**
     * One factor of all trits.
     *
     * @param value the factor
     */
    record Uniform(float value) implements TritScales {}

    /**
     * A factor for each run of columns in each row.
     *
     * @param blockColumns columns of a run, a divisor of the columns
     * @param values {@code [columns / blockColumns, rows]}: the factors of all rows in the first run of columns, then those in
     *     the second; not copied
     */
    record Blocks(int blockColumns, float[] values) implements TritScales {

        /** Returns whether {@code columns} columns can be cut into {@code runs} runs that kernels read one by one. */
        static boolean fit(int columns, int runs) {
            return columns % runs == 0 && columns / runs % QuantizedActivations.PADDING == 0;
        }

        /** Returns the factors as checkpoints store them, {@code [rows, columns / blockColumns]}. */
        float[] byRow(int rows) {
            int runs = values.length / rows;
            float[] byRow = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                byRow[i % rows * runs + i / rows] = values[i];
            }
            return byRow;
        }
    }
}
