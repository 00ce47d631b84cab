package org.setun.model;

import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;

/**
 * What a linear layer multiplies: its input after the layer's own norm, as floats and, once a ternary layer asks, as int8
 * codes. Layers that read the same vector (gate and up) share one, so it is normalised and quantised once.
 */
final class LinearInput {

    private final float[] values;
    private final QuantizedActivations codes;
    private int tokens;
    private int width;
    private boolean quantized;

    /** Allocates space for {@code maxTokens} rows of at most {@code maxWidth} values. */
    LinearInput(int maxTokens, int maxWidth) {
        this.values = new float[Math.multiplyExact(maxTokens, maxWidth)];
        this.codes = new QuantizedActivations(maxTokens, maxWidth);
    }

    /** Takes {@code x}, {@code [tokens, width]}, through {@code norm} if the layer has one. */
    void set(float[] x, int tokens, int width, @Nullable RmsNorm norm, Kernels kernels) {
        this.tokens = tokens;
        this.width = width;
        this.quantized = false;
        if (norm == null) {
            System.arraycopy(x, 0, values, 0, tokens * width);
        } else {
            norm.apply(x, tokens, values, kernels);
        }
    }

    /** Returns the number of rows. */
    int tokens() {
        return tokens;
    }

    /** Returns the rows as floats, {@code [tokens, width]}. */
    float[] values() {
        return values;
    }

    /** Returns the rows as int8 codes, quantising them on the first call after {@link #set}. */
    QuantizedActivations codes(Kernels kernels) {
        if (!quantized) {
            codes.reshape(width);
            kernels.workers().forRange(tokens, 1, (from, to) -> {
                for (int token = from; token < to; token++) {
                    codes.scales()[token] = kernels.floating()
                            .quantize(values, token * width, width, codes.codes(), codes.rowOffset(token));
                }
            });
            quantized = true;
        }
        return codes;
    }
}
