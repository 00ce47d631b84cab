package org.setun.model;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;

/**
 * What a linear layer multiplies: its input after the layer's own norm, as floats and, once a ternary layer asks, as int8
 * codes. Layers that read the same vector (gate and up) share one, so it is normalised, quantised and made sparse once. The
 * one place where codes are made, and so where the sparsity of layers and requests is applied and counted.
 */
final class LinearInput {

    private final float[] values;
    private final QuantizedActivations codes;
    private final double[] requested;
    private final PassCounter counter;
    private int tokens;
    private int width;
    private boolean listed;
    private int readColumns;

    /** What the codes have been made for; null before there are any. */
    private @Nullable Sparsity selected;

    /**
     * Allocates space for {@code maxTokens} rows of at most {@code maxWidth} values.
     *
     * @param counter hears of all codes that are made
     */
    LinearInput(int maxTokens, int maxWidth, PassCounter counter) {
        this.values = new float[Math.multiplyExact(maxTokens, maxWidth)];
        this.codes = new QuantizedActivations(maxTokens, maxWidth);
        this.requested = new double[maxTokens];
        this.counter = counter;
    }

    /** From now on rows are the tokens of {@code batch}: those of each chunk get the sparsity that it asks for. */
    void serve(Batch batch) {
        int token = 0;
        for (Chunk chunk : batch.chunks()) {
            Arrays.fill(requested, token, token + chunk.tokens().length, chunk.activationSparsity());
            token += chunk.tokens().length;
        }
    }

    /** From now on rows are those of the output head, which no request makes sparse. */
    void serveHead() {
        Arrays.fill(requested, 0);
    }

    /** Returns what counts the products of this input. */
    PassCounter counter() {
        return counter;
    }

    /** Takes {@code x}, {@code [tokens, width]}, through {@code norm} if the layer has one. */
    void set(float[] x, int tokens, int width, @Nullable RmsNorm norm, Kernels kernels) {
        this.tokens = tokens;
        this.width = width;
        this.selected = null;
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

    /**
     * Returns the rows as int8 codes under a layer's sparsity, or that of a token's request where it is sparser. They are
     * made on the first call after {@link #set}.
     */
    QuantizedActivations codes(Sparsity sparsity, Kernels kernels) {
        if (!sparsity.equals(selected)) {
            codes.reshape(width);
            kernels.workers().forRange(tokens, 1, (from, to) -> {
                for (int token = from; token < to; token++) {
                    codes.scales()[token] = kernels.floating()
                            .quantize(values, token * width, width, codes.codes(), codes.rowOffset(token));
                    sparsity.butDropping(requested[token]).select(codes, token);
                    codes.countNonZeros(token);
                }
            });
            selected = sparsity;
            listed = false;
            readColumns = -1;
            counter.codes(codes);
        }
        return codes;
    }

    /** Returns how many of the codes of all rows are not zero. */
    long nonZeros() {
        long nonZeros = 0;
        for (int token = 0; token < tokens; token++) {
            nonZeros += codes.nonZeros(token);
        }
        return nonZeros;
    }

    /** Lists the non-zero columns of the codes made last, unless that has been done. */
    void listNonZeros(Kernels kernels) {
        if (!listed) {
            kernels.workers().forRange(tokens, 1, (from, to) -> {
                for (int token = from; token < to; token++) {
                    codes.listNonZeros(token);
                }
            });
            listed = true;
        }
    }

    /** Returns in how many columns a row has a code that is not zero. */
    int readColumns() {
        if (readColumns < 0) {
            readColumns = codes.usedColumns(tokens);
        }
        return readColumns;
    }
}
