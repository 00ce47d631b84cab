package org.setun.architecture;

import java.util.ArrayList;
import java.util.List;

/** Says in a line what layers consist of, for people. */
final class LayerDescription {

    private LayerDescription() {}

    /** Returns a line for each run of equal layers. */
    static List<String> of(List<LayerSpec> layers) {
        List<String> lines = new ArrayList<>();
        int from = 0;
        while (from < layers.size()) {
            String parts = parts(layers.get(from));
            int to = from + 1;
            while (to < layers.size() && parts(layers.get(to)).equals(parts)) {
                to++;
            }
            lines.add(to - from + " x " + parts);
            from = to;
        }
        return lines;
    }

    private static String parts(LayerSpec layer) {
        return mixer(layer.mixer()) + ", " + channel(layer.channel()) + sparsity(layer.sparsity())
                + floats(layer.storage());
    }

    private static String mixer(MixerSpec mixer) {
        return switch (mixer) {
            case MixerSpec.Mlgru mlgru ->
                "MLGRU" + (mlgru.convolution().isPresent() ? " with a short convolution" : "");
            case MixerSpec.Attention attention ->
                "attention (" + attention.numHeads() + " heads of " + attention.headDim() + ", "
                        + attention.numKvHeads() + " for keys and values)";
        };
    }

    private static String channel(ChannelSpec channel) {
        String activation = ConfigObject.nameOf(channel.activation());
        return switch (channel) {
            case ChannelSpec.Glu glu -> "gated MLP (" + glu.intermediateSize() + ", " + activation + ")";
            case ChannelSpec.Peer peer ->
                "PEER (" + peer.numHeads() + " x " + peer.topK() + " of " + peer.numExperts() + " experts, "
                        + activation + ")";
        };
    }

    private static String sparsity(SparsitySpec sparsity) {
        return switch (sparsity) {
            case SparsitySpec.Dense dense -> "";
            case SparsitySpec.TopK topK -> ", top-K " + topK.ratio();
            case SparsitySpec.BlockTopK block -> ", top-K " + block.n() + ":" + block.m();
        };
    }

    private static String floats(LayerSpec.Storage storage) {
        if (storage.linear() == LinearStorage.FLOAT) {
            return ", all linears float";
        }
        return storage.floatLinears().isEmpty()
                ? ""
                : ", float "
                        + String.join(
                                " ", storage.floatLinears().stream().sorted().toList());
    }
}
