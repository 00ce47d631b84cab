package org.setun.architecture;

import java.util.Optional;
import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;

/**
 * How a converted checkpoint stores its weights.
 *
 * @param packing of the ternary matrices
 * @param floatType of the embedding, the norms and what else stays float: F32, F16 or BF16; empty to round nothing: matrices keep
 *     their type, or become F32 if it is one of blocks, and the small tensors become F32
 */
public record ConvertOptions(TernaryPacking packing, Optional<ElementType> floatType) {

    /** Creates options that store all floats in one type. */
    public ConvertOptions(TernaryPacking packing, ElementType floatType) {
        this(packing, Optional.of(floatType));
    }

    /** Creates options that round nothing. */
    public ConvertOptions(TernaryPacking packing) {
        this(packing, Optional.empty());
    }

    public ConvertOptions {
        if (floatType.isPresent() && !floatType.get().isFloatWeight()) {
            throw new IllegalArgumentException("expected F32, F16 or BF16, found " + floatType.get());
        }
    }
}
