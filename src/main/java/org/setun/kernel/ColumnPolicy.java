package org.setun.kernel;

import org.setun.tensor.TernaryColumns;

/**
 * Decides by which layout a product of int8 activations with ternary weights is computed, by time alone: both give the same
 * integers.
 *
 * <p>A product by columns takes a time in proportion to the non-zero codes. But from memory only runs of some length are read at
 * the full rate: the shorter a thread's part of a column, the fewer non-zero codes may be left. A product by rows takes the same
 * time whatever the codes are, and less for each token where several share what it reads. The numbers are fitted to {@code
 * SparseProductBenchmark} on a Zen 4 core and lie below the measured break-even points, so that what sparsity may lose is a gain
 * and not time.
 *
 * @param leastShare the share of non-zero codes up to which columns pay however short they are
 * @param greatestShare the share up to which they pay however long they are
 * @param sharePerByte by how much a byte more of a run raises that share
 * @param sharedTime the time that a product by rows takes for each of several tokens that share its weights, of that for one alone
 */
public record ColumnPolicy(double leastShare, double greatestShare, double sharePerByte, double sharedTime) {

    /** Against {@link VectorTernaryKernel}, which a product by columns beats from the cache at any share. */
    static final ColumnPolicy AGAINST_MULTIPLICATION = new ColumnPolicy(0.15, 0.7, 1.0 / 3456, 0.65);

    /** Against {@link LookupTernaryKernel}, which reads its weights at 1.6 bits instead of 2 and as fast as memory gives them. */
    static final ColumnPolicy AGAINST_LOOKUP = new ColumnPolicy(0.11, 0.27, 1.0 / 16_000, 0.65);

    /** Against {@link NativeTernaryKernel} with weights in base 3. */
    static final ColumnPolicy AGAINST_NATIVE_LOOKUP = new ColumnPolicy(0.07, 0.18, 1.0 / 20_000, 0.6);

    /** Against {@link NativeTernaryKernel} with weights in cells. */
    static final ColumnPolicy AGAINST_NATIVE = new ColumnPolicy(0.07, 0.18, 1.0 / 20_000, 0.44);

    /** From how many tokens on a product by rows shares its weights among them. */
    private static final int SHARING_TOKENS = 4;

    /**
     * Returns whether the product by columns is the faster one.
     *
     * @param weights {@code [rows, columns]}
     * @param threads how many threads share the rows
     * @param tokens the number of tokens
     * @param nonZeros the number of non-zero codes of all tokens
     */
    public boolean pays(TernaryColumns weights, int threads, int tokens, long nonZeros) {
        double run = (double) weights.words().byteSize() / weights.columns() / Math.min(threads, weights.blocks());
        double share = Math.min(greatestShare, leastShare + sharePerByte * run);
        double time = tokens < SHARING_TOKENS ? 1 : sharedTime;
        return nonZeros < share * time * weights.columns() * tokens;
    }
}
