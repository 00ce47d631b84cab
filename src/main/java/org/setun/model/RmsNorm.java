package org.setun.model;

import org.setun.kernel.Kernels;

/**
 * A root-mean-square norm: {@code y_j = x_j / sqrt(mean(x^2) + epsilon) * weight_j}.
 *
 * @param weight {@code [width]}; not copied
 * @param epsilon added to the mean square
 */
public record RmsNorm(float[] weight, float epsilon) {

    /** Normalises {@code tokens} rows of {@code x}, {@code [tokens, width]}, to {@code out}, which may be {@code x}. */
    void apply(float[] x, int tokens, float[] out, Kernels kernels) {
        int width = weight.length;
        kernels.workers().forRange(tokens, 1, (from, to) -> {
            for (int token = from; token < to; token++) {
                kernels.floating().rmsNorm(x, token * width, width, weight, epsilon, out, token * width);
            }
        });
    }
}
