package org.setun.model;

import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;

/** A linear layer without bias, {@code y = norm(x) W^T}, its input norm optional. */
public sealed interface Linear permits BitLinear, BlockScaledLinear, FloatLinear {

    /** Returns the width of the input. */
    int inputSize();

    /** Returns the width of the output. */
    int outputSize();

    /** Returns the norm of the input; null where the layer takes its input as it comes. */
    @Nullable
    RmsNorm inputNorm();

    /** Returns the bytes of weights that a product reads where no activation is left out, but for the input norm's. */
    long weightBytes();

    /** Puts {@code x}, {@code [tokens, inputSize]}, through the input norm into {@code input}. */
    default void prepare(float[] x, int tokens, LinearInput input, Kernels kernels) {
        input.set(x, tokens, inputSize(), inputNorm(), kernels);
    }

    /**
     * Prepares {@code x} as {@link #prepare} does, after {@code other} has prepared the same rows: where neither has a norm,
     * there is nothing left to do.
     */
    default void prepareAfter(Linear other, float[] x, int tokens, LinearInput input, Kernels kernels) {
        if (inputNorm() != null || other.inputNorm() != null) {
            prepare(x, tokens, input, kernels);
        }
    }

    /**
     * Multiplies a prepared input.
     *
     * @param input {@code [tokens, inputSize]}
     * @param sums scratch, at least {@code tokens * outputSize}
     * @param out receives {@code [tokens, outputSize]}
     */
    void multiply(LinearInput input, int[] sums, float[] out, Kernels kernels);

    /** Computes {@code out = norm(x) W^T} for {@code tokens} rows. */
    default void forward(float[] x, int tokens, Buffers buffers, float[] out, Kernels kernels) {
        prepare(x, tokens, buffers.linearInput(), kernels);
        multiply(buffers.linearInput(), buffers.sums(), out, kernels);
    }
}
