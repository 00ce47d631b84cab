package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.FloatKernel;
import org.setun.kernel.Kernels;

/**
 * The MatMul-free recurrent mixer (arXiv 2406.02528, section 3.3.1, as the published HGRN-Bit code computes it):
 *
 * <pre>
 * i = input(x)   f = sigmoid(forget(x))   g = gate(x)
 * f = b + (1 - b) * f                     b: lower bound, zeros in the first layer
 * h = f * h' + (1 - f) * silu(i)          h': the state after the token before, zeros at the start
 * y = output(norm(g) * h * sigmoid(h))
 * </pre>
 *
 * The norm is that of {@code g}, not of {@code h}. State: {@code h}, then the last K - 1 inputs of each convolution.
 *
 * @param input {@code [width, hidden]}
 * @param forget {@code [width, hidden]}
 * @param gate {@code [width, hidden]}
 * @param output {@code [hidden, width]}
 * @param gateNorm the norm of {@code g}
 * @param lowerBound final values b, {@code [width]}
 * @param convolution null where the model has none
 */
public record Mlgru(
        Linear input,
        Linear forget,
        Linear gate,
        Linear output,
        RmsNorm gateNorm,
        float[] lowerBound,
        @Nullable ShortConvolution convolution)
        implements TokenMixer {

    /** Channels that a worker takes at least: two cache lines of floats. */
    private static final int CHANNEL_GRANULARITY = 32;

    private int width() {
        return gate.outputSize();
    }

    @Override
    public List<Site> sites() {
        return List.of(Site.MIXER_IN, Site.MIXER_OUT);
    }

    @Override
    public List<Linear> linears() {
        return List.of(input, forget, gate, output);
    }

    @Override
    public long stateBytes() {
        return switch (convolution) {
            case null -> stateBytes(width(), 0, 1);
            case ShortConvolution.Shared shared -> stateBytes(width(), input.inputSize(), shared.taps());
            case ShortConvolution.Separate separate -> stateBytes(width(), 2 * width(), separate.taps());
        };
    }

    /**
     * Returns the bytes of a sequence's state: h', and the inputs of the convolution's earlier taps.
     *
     * @param width channels of the recurrence
     * @param convolved channels of all convolutions together
     * @param taps K
     */
    public static long stateBytes(int width, int convolved, int taps) {
        return (width + (taps - 1L) * convolved) * Float.BYTES;
    }

    @Override
    public long pageBytes(int pageTokens) {
        return 0;
    }

    @Override
    public void forward(Batch batch, StateSlice slice, float[] x, float[] out, Buffers buffers, Kernels kernels) {
        int tokens = batch.tokens();
        long stateOffset = slice.recurrentOffset();
        float[] inputs = buffers.first();
        float[] forgets = buffers.second();
        float[] gates = buffers.third();
        if (convolution instanceof ShortConvolution.Shared shared) {
            long history = stateOffset + (long) width() * Float.BYTES;
            convolve(batch, history, x, input.inputSize(), shared.taps(), shared.weight(), kernels);
        }
        PassCounter counter = buffers.linearInput().counter();
        counter.at(Site.MIXER_IN);
        input.forward(x, tokens, buffers, inputs, kernels);
        forget.forward(x, tokens, buffers, forgets, kernels);
        gate.forward(x, tokens, buffers, gates, kernels);
        if (convolution instanceof ShortConvolution.Separate separate) {
            long history = stateOffset + (long) width() * Float.BYTES;
            long historyBytes = (separate.taps() - 1L) * width() * Float.BYTES;
            convolve(batch, history, inputs, width(), separate.taps(), separate.input(), kernels);
            convolve(batch, history + historyBytes, forgets, width(), separate.taps(), separate.forget(), kernels);
        }
        gateNorm.apply(gates, tokens, gates, kernels);
        recur(batch, stateOffset, inputs, forgets, gates, kernels);
        counter.at(Site.MIXER_OUT);
        output.forward(gates, tokens, buffers, out, kernels);
    }

    /** Runs the recurrence over every chunk, channels split among the threads, and gates its output into {@code gates}. */
    private void recur(Batch batch, long stateOffset, float[] inputs, float[] forgets, float[] gates, Kernels kernels) {
        int width = width();
        FloatKernel floating = kernels.floating();
        kernels.workers().forRange(width, CHANNEL_GRANULARITY, (from, to) -> {
            int token = 0;
            for (Chunk chunk : batch.chunks()) {
                MemorySegment state = chunk.state().recurrent().asSlice(stateOffset, (long) width * Float.BYTES);
                for (int i = 0; i < chunk.tokens().length; i++, token++) {
                    int row = token * width;
                    floating.mlgruStep(inputs, forgets, row, lowerBound, state, from, to, inputs);
                    floating.multiply(inputs, row + from, to - from, gates, row + from);
                }
            }
        });
    }

    /** Convolves {@code x}, {@code [tokens, channels]}, in place; each chunk's history begins at {@code historyOffset}. */
    private static void convolve(
            Batch batch, long historyOffset, float[] x, int channels, int taps, float[] weight, Kernels kernels) {
        kernels.workers().forRange(channels, CHANNEL_GRANULARITY, (from, to) -> {
            int token = 0;
            for (Chunk chunk : batch.chunks()) {
                MemorySegment history =
                        chunk.state().recurrent().asSlice(historyOffset, (taps - 1L) * channels * Float.BYTES);
                for (int i = 0; i < chunk.tokens().length; i++, token++) {
                    int row = token * channels;
                    kernels.floating().causalConvolutionStep(x, row, weight, taps, history, channels, from, to, x, row);
                }
            }
        });
    }
}
