package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A float matrix {@code [rows, columns]} in panels of {@link #PANEL_ROWS} = 32 rows, column after column within a panel:
 *
 * <pre>
 * byte offset of (row, column) = ((row / 32 * columns + column) * 32 + row % 32) * 4
 * </pre>
 *
 * A vector lane is a row, so that a product needs no horizontal sum, and a product with several vectors reads a panel from
 * memory once. Rows beyond the matrix, up to the next multiple of 32, hold 0. F32, little-endian, 64-byte aligned.
 *
 * <p>Immutable and safe for use by several threads; valid while the arena that it was made in is open.
 */
public final class PanelMatrix {

    /** Rows of a panel: two vectors of 512 bits. */
    public static final int PANEL_ROWS = 32;

    private static final ValueLayout.OfFloat VALUE = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final MemorySegment values;

    /**
     * Copies the row-major matrix {@code source[offset .. offset + rows * columns)} into {@code arena}, which the caller owns.
     *
     * @throws IllegalArgumentException if a size is less than 1
     */
    public PanelMatrix(int rows, int columns, float[] source, int offset, Arena arena) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("empty matrix [" + rows + ", " + columns + "]");
        }
        Objects.checkFromIndexSize(offset, Math.multiplyExact(rows, columns), source.length);
        this.rows = rows;
        this.columns = columns;
        MemorySegment panels =
                arena.allocate((long) Math.ceilDiv(rows, PANEL_ROWS) * PANEL_ROWS * columns * Float.BYTES, ALIGNMENT);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                panels.set(VALUE, at(row, column), source[offset + row * columns + column]);
            }
        }
        this.values = panels.asReadOnly();
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

    /** Returns the values, laid out as the class comment says; read-only. */
    public MemorySegment values() {
        return values;
    }

    /** Returns the value at ({@code row}, {@code column}). */
    public float value(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        return values.get(VALUE, at(row, column));
    }

    private long at(int row, int column) {
        return (((long) (row / PANEL_ROWS) * columns + column) * PANEL_ROWS + row % PANEL_ROWS) * Float.BYTES;
    }
}
