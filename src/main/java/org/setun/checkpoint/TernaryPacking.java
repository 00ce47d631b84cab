package org.setun.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.setun.tensor.Shape;

/**
 * The ways in which a checkpoint stores a matrix of trits {@code [rows, columns]}, each in {-1, 0, 1}, as bytes. All are
 * U8 tensors of rank 2, row-major, without padding between rows.
 */
public enum TernaryPacking {
    /**
     * Two bits a trit, four rows a quarter of the matrix apart in one byte: bits {@code 2k, 2k + 1} of byte
     * {@code (r, c)} are {@code t[r + k * rows / 4][c] + 1}. Stored {@code [rows / 4, columns]}; rows divide by 4. The
     * layout of BitNet checkpoints on Hugging Face.
     */
    U2_ROWS {
        @Override
        public boolean canPack(int rows, int columns) {
            return rows > 0 && columns > 0 && rows % FIELDS == 0;
        }

        @Override
        public Shape packedShape(int rows, int columns) {
            requirePackable(rows, columns);
            return Shape.of(rows / FIELDS, columns);
        }

        @Override
        public int rowsPerPackedRow() {
            return FIELDS;
        }

        @Override
        public int sourceRow(int rows, int packedRow, int index) {
            return packedRow + index * (rows / FIELDS);
        }

        @Override
        int decodeRow(MemorySegment packed, int rows, int columns, int row, byte[] trits, int offset) {
            int quarter = rows / FIELDS;
            long start = (long) (row % quarter) * columns;
            MemorySegment.copy(packed, ValueLayout.JAVA_BYTE, start, trits, offset, columns);
            boolean valid = TwoBitFields.decode(trits, offset, columns, row / quarter);
            return valid ? VALID : firstInvalid(trits, offset, columns);
        }

        @Override
        public void packRow(byte[] trits, int columns, byte[] packed, int offset) {
            for (int c = 0; c < columns; c++) {
                int value = 0;
                for (int k = 0; k < FIELDS; k++) {
                    value |= code(trits[k * columns + c]) << (BITS * k);
                }
                packed[offset + c] = (byte) value;
            }
        }
    },

    /**
     * Two bits a trit, four columns a quarter of the row apart in one byte: bits {@code 2k, 2k + 1} of byte
     * {@code (r, c)} are {@code t[r][c + k * columns / 4] + 1}. Stored {@code [rows, columns / 4]}; columns divide by 4.
     */
    U2_COLS {
        @Override
        public boolean canPack(int rows, int columns) {
            return rows > 0 && columns > 0 && columns % FIELDS == 0;
        }

        @Override
        public Shape packedShape(int rows, int columns) {
            requirePackable(rows, columns);
            return Shape.of(rows, columns / FIELDS);
        }

        @Override
        int decodeRow(MemorySegment packed, int rows, int columns, int row, byte[] trits, int offset) {
            int quarter = columns / FIELDS;
            long start = (long) row * quarter;
            boolean valid = true;
            for (int k = 0; k < FIELDS; k++) {
                int first = offset + k * quarter;
                MemorySegment.copy(packed, ValueLayout.JAVA_BYTE, start, trits, first, quarter);
                valid &= TwoBitFields.decode(trits, first, quarter, k);
            }
            return valid ? VALID : firstInvalid(trits, offset, columns);
        }

        @Override
        public void packRow(byte[] trits, int columns, byte[] packed, int offset) {
            int quarter = columns / FIELDS;
            for (int c = 0; c < quarter; c++) {
                int value = 0;
                for (int k = 0; k < FIELDS; k++) {
                    value |= code(trits[k * quarter + c]) << (BITS * k);
                }
                packed[offset + c] = (byte) value;
            }
        }
    },

    /**
     * Five trits a byte: byte {@code (r, b)} is the sum over {@code j = 0..4} of {@code (t[r][5b + j] + 1) * 3^j}, 0 to
     * 242. Stored {@code [rows, ceil(columns / 5)]}. Columns missing from the last byte are written as trit 0 and not
     * looked at when read.
     */
    B3 {
        @Override
        public boolean canPack(int rows, int columns) {
            return rows > 0 && columns > 0;
        }

        @Override
        public Shape packedShape(int rows, int columns) {
            requirePackable(rows, columns);
            return Shape.of(rows, Math.ceilDiv(columns, TRITS_PER_BYTE));
        }

        @Override
        int decodeRow(MemorySegment packed, int rows, int columns, int row, byte[] trits, int offset) {
            int rowBytes = Math.ceilDiv(columns, TRITS_PER_BYTE);
            long start = (long) row * rowBytes;
            // A word of eight trits, of which the next overwrites three, wherever it does not reach beyond the row.
            int words = Math.max(0, columns - Long.BYTES + 1) / TRITS_PER_BYTE;
            for (int b = 0; b < rowBytes; b++) {
                int value = Byte.toUnsignedInt(packed.get(ValueLayout.JAVA_BYTE, start + b));
                int first = b * TRITS_PER_BYTE;
                if (value >= BYTE_VALUES) {
                    return first;
                }
                if (b < words) {
                    WORD.set(trits, offset + first, (long) WORD.get(B3_TRITS, value * TRITS_PER_BYTE));
                } else {
                    int count = Math.min(TRITS_PER_BYTE, columns - first);
                    System.arraycopy(B3_TRITS, value * TRITS_PER_BYTE, trits, offset + first, count);
                }
            }
            return VALID;
        }

        @Override
        public void packRow(byte[] trits, int columns, byte[] packed, int offset) {
            int rowBytes = Math.ceilDiv(columns, TRITS_PER_BYTE);
            for (int b = 0; b < rowBytes; b++) {
                int value = 0;
                for (int j = TRITS_PER_BYTE - 1; j >= 0; j--) {
                    int column = b * TRITS_PER_BYTE + j;
                    value = value * 3 + (column < columns ? code(trits[column]) : 1);
                }
                packed[offset + b] = (byte) value;
            }
        }
    };

    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final int BITS = 2;
    private static final int MASK = 3;
    private static final int FIELDS = 4;
    private static final int TRITS_PER_BYTE = 5;
    private static final int BYTE_VALUES = 243;
    private static final int VALID = -1;

    /** The five trits of every byte value 0 to 242, one value after the other. */
    private static final byte[] B3_TRITS = b3Trits();

    private final String configName = name().toLowerCase(Locale.ROOT);

    /** Returns the name in {@code config.json}: {@code u2_rows}, {@code u2_cols} or {@code b3}. */
    public String configName() {
        return configName;
    }

    /** Returns the packing that {@code config.json} calls {@code configName}, if it is one. */
    public static Optional<TernaryPacking> parse(String configName) {
        return Arrays.stream(values())
                .filter(packing -> packing.configName.equals(configName))
                .findFirst();
    }

    /** Returns whether a matrix {@code [rows, columns]} can be stored so: not empty, and divisible where it must be. */
    public abstract boolean canPack(int rows, int columns);

    /**
     * Returns the shape of the U8 tensor that stores a matrix {@code [rows, columns]}.
     *
     * @throws IllegalArgumentException if {@link #canPack} is false for it
     */
    public abstract Shape packedShape(int rows, int columns);

    /** Returns how many rows of trits one row of the packed tensor holds: 4 for {@link #U2_ROWS}, else 1. */
    public int rowsPerPackedRow() {
        return 1;
    }

    /**
     * Returns the row of trits that is the {@code index}-th in row {@code packedRow} of the packed tensor.
     *
     * @param rows rows of the unpacked matrix
     * @param index 0 up to, not including, {@link #rowsPerPackedRow}
     */
    public int sourceRow(int rows, int packedRow, int index) {
        return packedRow;
    }

    /**
     * Packs one row of the packed tensor into {@code packed[offset ..]}, as many bytes as {@link #packedShape}'s second
     * extent.
     *
     * @param trits the {@link #rowsPerPackedRow} rows of trits that {@link #sourceRow} names, one after the other
     * @param columns columns of the unpacked matrix, such that {@link #canPack}
     * @throws IllegalArgumentException if a value is not -1, 0 or 1
     */
    public abstract void packRow(byte[] trits, int columns, byte[] packed, int offset);

    /**
     * Unpacks row {@code row} of a matrix {@code [rows, columns]} into {@code trits[offset .. offset + columns)}. Rows
     * may be unpacked in any order and by several threads.
     *
     * @param packed a tensor from {@link Checkpoint#requirePacked}
     * @throws CheckpointFormatException if the row holds a code that stands for no trit: field value 3, or a byte above
     *     242; the message names tensor, row and column
     */
    public void unpackRow(StoredTensor packed, int rows, int columns, int row, byte[] trits, int offset)
            throws CheckpointFormatException {
        int invalid = decodeRow(packed.bytes(), rows, columns, row, trits, offset);
        if (invalid != VALID) {
            throw CheckpointFormatException.invalid(
                    packed.where() + ", row " + row + ", column " + invalid,
                    "the " + configName + " code there stands for no trit",
                    "the file is damaged or packed in another way, download it again or correct quantization in config.json");
        }
    }

    /** Unpacks one row; returns {@link #VALID} or the first column whose code is invalid. */
    abstract int decodeRow(MemorySegment packed, int rows, int columns, int row, byte[] trits, int offset);

    void requirePackable(int rows, int columns) {
        if (!canPack(rows, columns)) {
            throw new IllegalArgumentException(
                    "a matrix [" + rows + ", " + columns + "] cannot be stored as " + configName);
        }
    }

    private static int code(byte trit) {
        if (trit < -1 || trit > 1) {
            throw new IllegalArgumentException(trit + " is no trit");
        }
        return trit + 1;
    }

    private static int firstInvalid(byte[] trits, int offset, int columns) {
        for (int c = 0; c < columns; c++) {
            if (trits[offset + c] == MASK - 1) {
                return c;
            }
        }
        throw new IllegalArgumentException("no invalid code in the row");
    }

    private static byte[] b3Trits() {
        // The last value is read as a word, too.
        byte[] table = new byte[BYTE_VALUES * TRITS_PER_BYTE + Long.BYTES];
        for (int value = 0; value < BYTE_VALUES; value++) {
            int rest = value;
            for (int j = 0; j < TRITS_PER_BYTE; j++) {
                table[value * TRITS_PER_BYTE + j] = (byte) (rest % 3 - 1);
                rest /= 3;
            }
        }
        return table;
    }
}
