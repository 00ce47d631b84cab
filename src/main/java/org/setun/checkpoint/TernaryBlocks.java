package org.setun.checkpoint;

import java.util.Arrays;
import java.util.Optional;
import org.setun.tensor.Shape;

/**
 * A ternary matrix {@code [rows, columns]} as a GGUF file stores it: a weight is its trit times the scale of its block, a
 * run of {@link #blockColumns} columns in one row. The types TQ1_0, TQ2_0 and Q2_0 have a scale for each block, I2_S has
 * one for the tensor, and a matrix stored as F32, F16 or BF16 with the values {@code -w, 0, +w} has the scale {@code w}.
 *
 * <p>Valid while the checkpoint is open; safe for use by several threads.
 */
public final class TernaryBlocks {

    private final StoredTensor tensor;
    private final int rows;
    private final int columns;
    private final int blockColumns;
    private final Decoder decoder;
    private final Optional<Float> uniformScale;

    /** Reads what the tensor's type has in place of trits and scales. */
    private sealed interface Decoder {
        float scale(long block);

        void readTrits(long first, int count, byte[] out, int offset) throws CheckpointFormatException;
    }

    private TernaryBlocks(StoredTensor tensor, int rows, int columns, int blockColumns, Decoder decoder)
            throws CheckpointFormatException {
        this.tensor = tensor;
        this.rows = rows;
        this.columns = columns;
        this.blockColumns = blockColumns;
        this.decoder = decoder;
        this.uniformScale = findUniformScale();
    }

    /**
     * Returns the view of {@code tensor} as a matrix {@code [rows, columns]}, having checked all scales, and of a tensor
     * of floats all values.
     *
     * @throws CheckpointFormatException if the shape differs, the type holds no trits, or a scale is not finite
     * @throws IllegalArgumentException if a size is less than 1
     */
    public static TernaryBlocks of(StoredTensor tensor, int rows, int columns) throws CheckpointFormatException {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("empty ternary matrix [" + rows + ", " + columns + "]");
        }
        tensor.requireShape(Shape.of(rows, columns));
        return switch (tensor.type()) {
            case TQ1_0, TQ2_0, Q2_0, Q2_0_G128 ->
                new TernaryBlocks(tensor, rows, columns, tensor.type().blockElements(), Blocks.of(tensor));
            case I2_S -> new TernaryBlocks(tensor, rows, columns, columns, Blocks.of(tensor));
            case F32, F16, BF16 -> new TernaryBlocks(tensor, rows, columns, columns, Floats.of(tensor, rows, columns));
            default ->
                throw CheckpointFormatException.mismatch(
                        tensor.where(),
                        "one of the ternary types I2_S, TQ1_0, TQ2_0 and Q2_0, or F32, F16 or BF16 with three values",
                        tensor.type(),
                        GgufTensorTypes.OTHER_TYPE);
        };
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Returns how many columns share a scale: the block size of the type, or all columns. */
    public int blockColumns() {
        return blockColumns;
    }

    /** Returns the number of blocks in a row. */
    public int blocks() {
        return columns / blockColumns;
    }

    /** Returns the factor of the trits in columns {@code block * blockColumns ..} of row {@code row}; 0 if all are zero. */
    public float scale(int row, int block) {
        return decoder.scale((long) row * blocks() + block);
    }

    /**
     * Returns the scale of the whole matrix, if all blocks that have another scale than 0 agree; a block of scale 0 reads
     * as trits 0. It is 0 if that is the scale of all blocks.
     */
    public Optional<Float> uniformScale() {
        return uniformScale;
    }

    /**
     * Reads row {@code row} as trits to {@code out[offset .. offset + columns)}. Rows may be read in any order and by
     * several threads.
     *
     * @throws CheckpointFormatException if the row holds a value that is no trit; the message names tensor, row and column
     */
    public void readTrits(int row, byte[] out, int offset) throws CheckpointFormatException {
        decoder.readTrits((long) row * columns, columns, out, offset);
    }

    private Optional<Float> findUniformScale() throws CheckpointFormatException {
        float uniform = 0;
        boolean differ = false;
        for (long block = 0; block < (long) rows * blocks(); block++) {
            float scale = decoder.scale(block);
            if (!Float.isFinite(scale)) {
                throw CheckpointFormatException.mismatch(
                        tensor.where() + ", row " + block / blocks() + ", block " + block % blocks(),
                        "a finite scale",
                        scale,
                        StrictJson.DOWNLOAD_AGAIN);
            }
            differ |= scale != 0 && uniform != 0 && scale != uniform;
            uniform = scale == 0 ? uniform : scale;
        }
        return differ ? Optional.empty() : Optional.of(uniform);
    }

    /** Trits as the codes of a block type. */
    private record Blocks(BlockDecoder codes, int blockElements) implements Decoder {

        static Blocks of(StoredTensor tensor) {
            return new Blocks(new BlockDecoder(tensor), tensor.type().blockElements());
        }

        @Override
        public float scale(long block) {
            return codes.factor(block);
        }

        @Override
        public void readTrits(long first, int count, byte[] out, int offset) throws CheckpointFormatException {
            codes.readCodes(first, count, out, offset);
            for (int i = 0; i < count; ) {
                long block = (first + i) / blockElements;
                int end = (int) Math.min(count, (block + 1) * blockElements - first);
                if (codes.factor(block) == 0) {
                    Arrays.fill(out, offset + i, offset + end, (byte) 0);
                }
                i = end;
            }
            codes.requireTrits(first, out, offset, count);
        }
    }

    /** Trits as the values {@code -w, 0, +w} of a float type. */
    private record Floats(StoredTensor tensor, float w) implements Decoder {

        static Floats of(StoredTensor tensor, int rows, int columns) throws CheckpointFormatException {
            float[] row = new float[columns];
            float largest = 0;
            for (int r = 0; r < rows; r++) {
                tensor.readRow(r, row, 0);
                for (float value : row) {
                    largest = Math.max(largest, Math.abs(value));
                }
            }
            return new Floats(tensor, largest);
        }

        @Override
        public float scale(long block) {
            return w;
        }

        @Override
        public void readTrits(long first, int count, byte[] out, int offset) throws CheckpointFormatException {
            float[] row = new float[count];
            tensor.readRow(first / count, row, 0);
            for (int i = 0; i < count; i++) {
                float value = row[i];
                if (value != 0 && Math.abs(value) != w) {
                    throw CheckpointFormatException.mismatch(
                            tensor.where() + ", row " + first / count + ", column " + i,
                            "0, " + w + " or " + -w + " in ternary " + tensor.type() + " weights",
                            value,
                            GgufTensorTypes.OTHER_TYPE);
                }
                out[offset + i] = (byte) Math.signum(value);
            }
        }
    }
}
