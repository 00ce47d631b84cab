package org.setun.architecture;

import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.TernaryBlocks;

/**
 * Trits of a GGUF file.
 *
 * @param blocks how they are stored
 * @param order in which their rows are stored
 * @param scales their factors, in the order of the model
 */
record GgufTrits(TernaryBlocks blocks, RowOrder order, TritScales scales) implements TernarySource {

    /**
     * Returns the trits of {@code blocks}.
     *
     * @param factor multiplies every stored scale
     */
    static GgufTrits of(TernaryBlocks blocks, RowOrder order, float factor) {
        Optional<Float> uniform = blocks.uniformScale();
        return new GgufTrits(
                blocks,
                order,
                uniform.isPresent()
                        ? new TritScales.Uniform(uniform.get() * factor)
                        : blockScales(blocks, order, factor));
    }

    private static TritScales blockScales(TernaryBlocks blocks, RowOrder order, float factor) {
        int rows = blocks.rows();
        float[] values = new float[Math.multiplyExact(rows, blocks.blocks())];
        for (int block = 0; block < blocks.blocks(); block++) {
            for (int row = 0; row < rows; row++) {
                values[block * rows + row] = blocks.scale(order.stored(row), block) * factor;
            }
        }
        return new TritScales.Blocks(blocks.blockColumns(), values);
    }

    @Override
    public void readRow(int row, byte[] trits, int offset) throws CheckpointFormatException {
        blocks.readTrits(order.stored(row), trits, offset);
    }
}
