package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A float matrix {@code [rows, columns]} in eight bits a weight, with a bound of what that gets wrong: enough to tell most rows
 * apart without reading their floats. A row has one scale, its largest magnitude divided by 127.
 *
 * <pre>
 * | w_rc - scale_r * code_rc |  is small, and for every x
 * | w_r . x - scale_r * (code_r . x) |  &lt;=  radius_r * |x|        (Euclidean norm; Cauchy and Schwarz)
 * </pre>
 *
 * also where both sides are computed in float32 in any order: the radius has room for that rounding (Higham, Accuracy and
 * Stability of Numerical Algorithms, 2nd edition, section 3.1).
 *
 * <p>Codes lie in panels of {@link #PANEL_ROWS} = 64 rows, column after column, so that a vector lane is a row:
 *
 * <pre>
 * byte offset of (row, column) = (row / 64 * columns + column) * 64 + row % 64
 * </pre>
 *
 * Rows beyond the matrix hold 0. A row with a weight that is not finite has codes 0 and an infinite radius.
 *
 * <p>Immutable and safe for use by several threads; valid while the arena that it was made in is open.
 */
public final class ScreenMatrix {

    /** Rows of a panel: a cache line of codes. */
    public static final int PANEL_ROWS = 64;

    private static final int MAX_CODE = 127;

    /** Added to a number of at most 127, leaves it rounded in the low bits: the sum's unit is 1. */
    private static final float ROUNDER = 0x1.8p23f;

    private static final long ALIGNMENT = 64;

    /** A unit roundoff of float32. */
    private static final double ROUNDOFF = 0x1p-24;

    /** What a bound is raised by for its own rounding. */
    private static final double SLACK = 1 + 1e-6;

    private final int rows;
    private final int columns;
    private final MemorySegment codes;
    private final float[] scales;
    private final float[] radii;

    private ScreenMatrix(Builder built) {
        this.rows = built.rows;
        this.columns = built.columns;
        this.codes = built.codes.asReadOnly();
        this.scales = built.scales;
        this.radii = built.radii;
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Returns the number of panels, the last one padded. */
    public int panels() {
        return Math.ceilDiv(rows, PANEL_ROWS);
    }

    /** Returns the codes, laid out as the class comment says; read-only. */
    public MemorySegment codes() {
        return codes;
    }

    /** Returns the rows' scales, those of padding 0; not to be changed. */
    public float[] scales() {
        return scales;
    }

    /** Returns the rows' radii, those of padding 0; not to be changed. */
    public float[] radii() {
        return radii;
    }

    /** Returns the code at ({@code row}, {@code column}). */
    public byte code(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        return codes.get(ValueLayout.JAVA_BYTE, offset(row, column, columns));
    }

    private static long offset(int row, int column, int columns) {
        return ((long) (row / PANEL_ROWS) * columns + column) * PANEL_ROWS + row % PANEL_ROWS;
    }

    /** Fills a matrix row by row; several threads may set different rows. */
    public static final class Builder {

        private final int rows;
        private final int columns;
        private final MemorySegment codes;
        private final float[] scales;
        private final float[] radii;

        /**
         * Allocates a matrix of zeros in {@code arena}, which the caller owns.
         *
         * @throws IllegalArgumentException if a size is less than 1
         */
        public Builder(int rows, int columns, Arena arena) {
            if (rows < 1 || columns < 1) {
                throw new IllegalArgumentException("empty matrix [" + rows + ", " + columns + "]");
            }
            int padded = Math.multiplyExact(Math.ceilDiv(rows, PANEL_ROWS), PANEL_ROWS);
            this.rows = rows;
            this.columns = columns;
            this.codes = arena.allocate((long) padded * columns, ALIGNMENT);
            this.scales = new float[padded];
            this.radii = new float[padded];
        }

        /** Sets row {@code row} to the {@code columns} first values of {@code weights}. */
        public void setRow(int row, float[] weights) {
            Objects.checkIndex(row, rows);
            float max = 0;
            for (int c = 0; c < columns; c++) {
                // NaN stays, as it is not less than anything.
                max = Math.max(max, Math.abs(weights[c]));
            }
            if (!Float.isFinite(max)) {
                radii[row] = Float.POSITIVE_INFINITY;
                return;
            }
            float scale = max / MAX_CODE;
            float inverse = scale == 0 ? 0 : Math.min(1 / scale, Float.MAX_VALUE);
            double residual = 0;
            double weightSquares = 0;
            double codeSquares = 0;
            long at = offset(row, 0, columns);
            for (int c = 0; c < columns; c++) {
                // The radius is that of whatever code comes out, so it need not be the nearest.
                int code = Math.clamp(
                        Float.floatToRawIntBits(weights[c] * inverse + ROUNDER) - Float.floatToRawIntBits(ROUNDER),
                        -MAX_CODE,
                        MAX_CODE);
                codes.set(ValueLayout.JAVA_BYTE, at, (byte) code);
                at += PANEL_ROWS;
                double weight = weights[c];
                double rounded = (double) scale * code;
                residual += (weight - rounded) * (weight - rounded);
                weightSquares += weight * weight;
                codeSquares += rounded * rounded;
            }
            // Each of the two sums has a rounding for every column, and a few for the scale and the bounds around it.
            double rounding = (columns + 8) * ROUNDOFF * (Math.sqrt(weightSquares) + Math.sqrt(codeSquares));
            scales[row] = scale;
            radii[row] = Math.max(Math.nextUp((float) ((Math.sqrt(residual) + rounding) * SLACK)), Float.MIN_NORMAL);
        }

        /** Returns the matrix. No row may be set afterwards. */
        public ScreenMatrix build() {
            return new ScreenMatrix(this);
        }
    }
}
