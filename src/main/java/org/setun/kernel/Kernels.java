package org.setun.kernel;

import java.util.Map;
import org.setun.tensor.ElementType;
import org.setun.tensor.TernaryLayout;

/**
 * The arithmetic that a model runs on.
 *
 * @param ternary products of int8 activations with ternary weights
 * @param sparse products that leave out the columns of zero activations
 * @param floating everything around them
 * @param matrices products with rows of stored floats
 * @param screen estimates of such products
 * @param attention what attention reads of its past, for each element type
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
        Map<ElementType, AttentionKernel> attention,
        RetrievalKernel retrieval,
        ExpertKernel experts,
        WorkerPool workers) {

    /**
     * Returns the kernel of attention over keys and values stored as {@code type}.
     *
     * @throws IllegalArgumentException if they cannot be stored so
     */
    public AttentionKernel attention(ElementType type) {
        AttentionKernel kernel = attention.get(type);
        if (kernel == null) {
            throw new IllegalArgumentException("expected one of " + attention.keySet() + ", found " + type);
        }
        return kernel;
    }

    /** Returns the layout that ternary weights have in memory. */
    public TernaryLayout layout() {
        return ternary.layout(workers.threads());
    }
}
