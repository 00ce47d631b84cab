package org.setun.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.setun.architecture.CanonicalTensor.Embedding;
import org.setun.architecture.CanonicalTensor.Experts;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.architecture.CanonicalTensor.Values;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.tensor.Shape;

/**
 * All tensors that a model has, by name and in the order of the computation: the one place that knows the names and shapes
 * of Setun's own checkpoints. Every other family is presented under these names.
 */
final class CanonicalTensors {

    static final String EMBEDDING = "model.embed_tokens.weight";
    static final String FINAL_NORM = "model.norm.weight";
    static final String HEAD = "lm_head";

    /** The weights of a head of its own. */
    static final String HEAD_WEIGHT = HEAD + ".weight";

    private final Map<String, CanonicalTensor> byName = new LinkedHashMap<>();
    private final ModelSpec spec;

    private CanonicalTensors(ModelSpec spec) {
        this.spec = spec;
    }

    /** Returns the tensors of {@code spec} by name. */
    static Map<String, CanonicalTensor> of(ModelSpec spec) {
        CanonicalTensors tensors = new CanonicalTensors(spec);
        tensors.addModel();
        return tensors.byName;
    }

    /** Returns the prefix of the names of layer {@code layer}. */
    static String layerPrefix(int layer) {
        return "model.layers." + layer + ".";
    }

    /** Returns the name of the lower bounds of layer {@code layer}. */
    static String lowerBound(int layer) {
        return layerPrefix(layer) + "mixer.lower_bound";
    }

    /** Returns the name of the norm that the linear called {@code linear} owns on its input. */
    static String inputNorm(String linear) {
        return linear + ".norm.weight";
    }

    /** Returns the names, within their layer, of the linears of a layer. */
    static List<String> linearNames(MixerSpec mixer, ChannelSpec channel) {
        List<String> names = new ArrayList<>(
                switch (mixer) {
                    case MixerSpec.Mlgru mlgru ->
                        List.of("mixer.i_proj", "mixer.f_proj", "mixer.g_proj", "mixer.o_proj");
                    case MixerSpec.Attention attention ->
                        List.of("mixer.q_proj", "mixer.k_proj", "mixer.v_proj", "mixer.o_proj");
                });
        names.addAll(
                switch (channel) {
                    case ChannelSpec.Glu glu -> List.of("channel.gate_proj", "channel.up_proj", "channel.down_proj");
                    case ChannelSpec.Peer peer -> List.of("channel.query_proj");
                });
        return names;
    }

    private void addModel() {
        int hidden = spec.hiddenSize();
        add(new Embedding(EMBEDDING, spec.vocabSize(), hidden));
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            addLayer(layerPrefix(layer), spec.layers().get(layer));
        }
        addValues(FINAL_NORM, hidden);
        if (spec.head() instanceof HeadSpec.Own own) {
            add(new Linear(HEAD, spec.vocabSize(), hidden, own.storage(), Optional.empty()));
            // A float head multiplies the output of the final norm as it is.
            if (own.storage() != LinearStorage.FLOAT && spec.inputNormEpsilon().isPresent()) {
                addValues(inputNorm(HEAD), hidden);
            }
        }
    }

    private void addLayer(String prefix, LayerSpec layer) {
        addValues(prefix + "mixer_norm.weight", spec.hiddenSize());
        switch (layer.mixer()) {
            case MixerSpec.Mlgru mlgru -> addMlgru(prefix, mlgru, layer);
            case MixerSpec.Attention attention -> addAttention(prefix, attention, layer);
        }
        addValues(prefix + "channel_norm.weight", spec.hiddenSize());
        switch (layer.channel()) {
            case ChannelSpec.Glu glu -> addGlu(prefix, glu, layer);
            case ChannelSpec.Peer peer -> addPeer(prefix, peer, layer);
        }
    }

    private void addMlgru(String prefix, MixerSpec.Mlgru mlgru, LayerSpec layer) {
        int hidden = spec.hiddenSize();
        int width = mlgru.width(hidden);
        addLinear(prefix, "mixer.i_proj", width, hidden, layer);
        addLinear(prefix, "mixer.f_proj", width, hidden, layer);
        addLinear(prefix, "mixer.g_proj", width, hidden, layer);
        addValues(prefix + "mixer.g_norm.weight", width);
        if (mlgru.lowerBound()) {
            add(new Values(prefix + "mixer.lower_bound", Shape.of(width), true));
        }
        mlgru.convolution().ifPresent(convolution -> {
            if (convolution.shared()) {
                addValues(prefix + "mixer.conv.weight", hidden, convolution.size());
            } else {
                addValues(prefix + "mixer.i_conv.weight", width, convolution.size());
                addValues(prefix + "mixer.f_conv.weight", width, convolution.size());
            }
        });
        addLinear(prefix, "mixer.o_proj", hidden, width, layer);
    }

    private void addAttention(String prefix, MixerSpec.Attention attention, LayerSpec layer) {
        int hidden = spec.hiddenSize();
        int queryWidth = attention.numHeads() * attention.headDim();
        int keyWidth = attention.numKvHeads() * attention.headDim();
        addLinear(prefix, "mixer.q_proj", queryWidth, hidden, layer);
        addLinear(prefix, "mixer.k_proj", keyWidth, hidden, layer);
        addLinear(prefix, "mixer.v_proj", keyWidth, hidden, layer);
        if (attention.subNorm()) {
            addValues(prefix + "mixer.sub_norm.weight", queryWidth);
        }
        addLinear(prefix, "mixer.o_proj", hidden, queryWidth, layer);
    }

    private void addGlu(String prefix, ChannelSpec.Glu glu, LayerSpec layer) {
        int hidden = spec.hiddenSize();
        int width = glu.intermediateSize();
        String up = "channel.up_proj";
        addLinear(prefix, "channel.gate_proj", width, hidden, layer);
        // The up projection reads what the gate's norm has made, so it has no norm of its own.
        add(new Linear(prefix + up, width, hidden, layer.storage().of(up), Optional.of(layer.sparsity())));
        if (glu.subNorm()) {
            addValues(prefix + "channel.sub_norm.weight", width);
        }
        addLinear(prefix, "channel.down_proj", hidden, width, layer);
    }

    private void addPeer(String prefix, ChannelSpec.Peer peer, LayerSpec layer) {
        int hidden = spec.hiddenSize();
        int heads = peer.numHeads();
        int keyDim = peer.keyDim();
        addLinear(prefix, "channel.query_proj", heads * 2 * keyDim, hidden, layer);
        if (peer.queryNorm() != ChannelSpec.QueryNorm.NONE) {
            addValues(prefix + "channel.query_norm.weight", heads, 2L * keyDim);
            addValues(prefix + "channel.query_norm.bias", heads, 2L * keyDim);
        }
        addValues(prefix + "channel.sub_keys", peer.sharedKeys() ? 1 : heads, 2, peer.sideLength(), keyDim);
        add(new Experts(
                prefix + "channel.down",
                peer.numExperts(),
                hidden,
                layer.storage().experts()));
        add(new Experts(
                prefix + "channel.up",
                peer.numExperts(),
                hidden,
                layer.storage().experts()));
    }

    private void addLinear(String prefix, String name, int rows, int columns, LayerSpec layer) {
        add(new Linear(prefix + name, rows, columns, layer.storage().of(name), Optional.of(layer.sparsity())));
        if (spec.inputNormEpsilon().isPresent()) {
            addValues(inputNorm(prefix + name), columns);
        }
    }

    private void addValues(String name, long... shape) {
        add(new Values(name, Shape.of(shape), false));
    }

    private void add(CanonicalTensor tensor) {
        byName.put(tensor.name(), tensor);
    }
}
