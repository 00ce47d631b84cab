package org.setun.kernel;

import org.setun.tensor.TernaryLayout;

/**
 * The arithmetic that a model runs on.
 *
 * @param ternary products of int8 activations with ternary weights
 * @param sparse products that leave out the columns of zero activations
 * @param floating everything around them
 * @param matrices products with rows of stored floats
 * @param screen estimates of such products
 * @param retrieval the scores of queries against keys, and the largest of them
 * @param experts single rows of ternary tables
 * @param workers the threads that share the work of one step
 */
public record Kernels(
        TernaryKernel ternary,
        SparseTernaryKernel sparse,
        FloatKernel floating,
        MatrixKernel matrices,
        ScreenKernel screen,
        RetrievalKernel retrieval,
        ExpertKernel experts,
        WorkerPool workers) {

    /** Returns the layout that ternary weights have in memory. */
    public TernaryLayout layout() {
        return ternary.layout(workers.threads());
    }
}
