package org.setun.kernel;

import org.setun.tensor.Base3Matrix;

/** What one thread needs to multiply by lookup. */
final class LookupScratch {

    /** Bytes of a group's table: the low bytes of 128 entries, then their high bytes. */
    static final int TABLE_BYTES = 256;

    /** 16-bit lanes of the accumulators of a block: three for each of its vectors. */
    private static final int ACCUMULATOR_LANES = 3 * Base3Matrix.BLOCK_VECTORS * Base3Matrix.VECTOR_ROWS / 2;

    private static final ThreadLocal<LookupScratch> OF_THREAD = ThreadLocal.withInitial(LookupScratch::new);

    /** The tables of a chunk. */
    final byte[] tables = new byte[Base3Matrix.CHUNK_GROUPS * TABLE_BYTES];

    /** The accumulators of a block, on their way from one method to the next. */
    final short[] accumulators = new short[ACCUMULATOR_LANES];

    /** The sums of a vector that is longer than the matrix. */
    final int[] last = new int[Base3Matrix.VECTOR_ROWS];

    private LookupScratch() {}

    static LookupScratch ofThread() {
        return OF_THREAD.get();
    }
}
