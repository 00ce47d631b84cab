package org.setun.architecture;

import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;

/**
 * How a converted checkpoint stores its weights.
 *
 * @param packing of the ternary matrices
 * @param floatType of the embedding, the norms and what else stays float: F32, F16 or BF16
 */
public record ConvertOptions(TernaryPacking packing, ElementType floatType) {

    public ConvertOptions {
        if (!floatType.isFloatWeight()) {
            throw new IllegalArgumentException("expected F32, F16 or BF16, found " + floatType);
        }
    }
}
