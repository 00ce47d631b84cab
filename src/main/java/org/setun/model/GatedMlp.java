package org.setun.model;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.Activation;
import org.setun.kernel.Kernels;

/**
 * A gated MLP: {@code y = down(subNorm(activation(gate(x)) * up(x)))}. Gate and up read the same prepared input, so the norm
 * in front of both is the gate's.
 *
 * @param gate {@code [intermediate, hidden]}, with the input norm if there is one
 * @param up {@code [intermediate, hidden]}, without a norm
 * @param activation the nonlinearity of the gate
 * @param subNorm the norm between the product and {@code down}; null where there is none
 * @param down {@code [hidden, intermediate]}
 */
public record GatedMlp(
        Linear gate,
        Linear up,
        Activation activation,
        @Nullable RmsNorm subNorm,
        Linear down) implements ChannelMixer {

    public GatedMlp {
        if (up.inputNorm() != null) {
            throw new IllegalArgumentException("the up projection shares the gate's input and has no norm of its own");
        }
    }

    @Override
    public List<Site> sites() {
        return List.of(Site.CHANNEL_IN, Site.CHANNEL_DOWN);
    }

    @Override
    public List<Linear> linears() {
        return List.of(gate, up, down);
    }

    @Override
    public long otherWeightBytes() {
        return 0;
    }

    @Override
    public void forward(float[] x, int tokens, float[] out, Buffers buffers, Kernels kernels) {
        float[] gated = buffers.first();
        float[] raised = buffers.second();
        LinearInput input = buffers.linearInput();
        input.counter().at(Site.CHANNEL_IN);
        gate.prepare(x, tokens, input, kernels);
        gate.multiply(input, buffers.sums(), gated, kernels);
        up.multiply(input, buffers.sums(), raised, kernels);
        int width = gate.outputSize();
        kernels.workers()
                .forRange(
                        tokens * width,
                        ElementRanges.GRANULARITY,
                        (from, to) ->
                                kernels.floating().gate(activation, gated, from, raised, from, to - from, gated, from));
        if (subNorm != null) {
            subNorm.apply(gated, tokens, gated, kernels);
        }
        input.counter().at(Site.CHANNEL_DOWN);
        down.forward(gated, tokens, buffers, out, kernels);
    }
}
