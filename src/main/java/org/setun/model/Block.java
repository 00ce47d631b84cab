package org.setun.model;

import java.util.List;
import java.util.stream.Stream;
import org.setun.kernel.Kernels;

/**
 * One layer of the network: {@code x = x + mixer(mixerNorm(x))}, then {@code x = x + channel(channelNorm(x))}.
 *
 * @param mixerNorm the norm in front of the token mixer
 * @param mixer carries information from token to token
 * @param channelNorm the norm in front of the channel mixer
 * @param channel transforms each token
 */
public record Block(RmsNorm mixerNorm, TokenMixer mixer, RmsNorm channelNorm, ChannelMixer channel) {

    /** Returns where the products of both mixers stand, in the order of the computation. */
    List<Site> sites() {
        return Stream.concat(mixer.sites().stream(), channel.sites().stream()).toList();
    }

    /** Runs the block on the residual stream in {@code buffers}. */
    void forward(Batch batch, StateSlice slice, Buffers buffers, Kernels kernels) {
        int tokens = batch.tokens();
        mixerNorm.apply(buffers.residual(), tokens, buffers.normed(), kernels);
        mixer.forward(batch, slice, buffers.normed(), buffers.output(), buffers, kernels);
        addToResidual(tokens, buffers, kernels);
        channelNorm.apply(buffers.residual(), tokens, buffers.normed(), kernels);
        channel.forward(buffers.normed(), tokens, buffers.output(), buffers, kernels);
        addToResidual(tokens, buffers, kernels);
    }

    private void addToResidual(int tokens, Buffers buffers, Kernels kernels) {
        int elements = tokens * mixerNorm.weight().length;
        kernels.workers()
                .forRange(
                        elements,
                        ElementRanges.GRANULARITY,
                        (from, to) ->
                                kernels.floating().add(buffers.output(), from, to - from, buffers.residual(), from));
    }
}
