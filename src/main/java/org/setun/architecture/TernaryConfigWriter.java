package org.setun.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.setun.architecture.ModelSpec.HeadSpec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes the configuration of Setun's own checkpoints; {@link TernaryConfigReader} reads it back to an equal spec. */
final class TernaryConfigWriter {

    private static final JsonMapper JSON = JsonMapper.shared();

    private final ModelSpec spec;
    private final LayerSpec first;

    private TernaryConfigWriter(ModelSpec spec) {
        this.spec = spec;
        this.first = spec.layers().getFirst();
    }

    /** Returns the configuration of {@code spec}, which has a layer. */
    static ObjectNode write(ModelSpec spec) {
        return new TernaryConfigWriter(spec).model();
    }

    private ObjectNode model() {
        ObjectNode model = JSON.createObjectNode()
                .put("model_type", TernaryRecipe.MODEL_TYPE)
                .put("format_version", TernaryConfigReader.FORMAT_VERSION);
        model.putArray("architectures").add("TernaryForCausalLM");
        model.put("vocab_size", spec.vocabSize())
                .put("hidden_size", spec.hiddenSize())
                .put("num_hidden_layers", spec.layers().size())
                .put("rms_norm_eps", spec.normEpsilon())
                .put("max_position_embeddings", spec.maxPositions());
        putSpecialTokens(model);
        model.put("tie_word_embeddings", spec.head() instanceof HeadSpec.Tied);
        ObjectNode linear = model.putObject("linear");
        linear.put("input_norm", spec.inputNormEpsilon().isPresent());
        spec.inputNormEpsilon().ifPresent(epsilon -> linear.put("norm_eps", epsilon));
        ObjectNode quantization = model.putObject("quantization");
        putStorage(quantization, first.storage());
        if (spec.head() instanceof HeadSpec.Own own) {
            quantization.put("lm_head", ConfigObject.nameOf(own.storage()));
        }
        model.set("sparsity", sparsity(first.sparsity()));
        model.set("layers", layers());
        return model;
    }

    private void putSpecialTokens(ObjectNode model) {
        put(model, "bos_token_id", spec.tokens().bos());
        List<Integer> eos = spec.tokens().eos();
        if (eos.isEmpty()) {
            model.putNull("eos_token_id");
        } else if (eos.size() == 1) {
            model.put("eos_token_id", eos.getFirst());
        } else {
            ArrayNode ids = model.putArray("eos_token_id");
            eos.forEach(ids::add);
        }
        put(model, "pad_token_id", spec.tokens().pad());
    }

    private static void put(ObjectNode node, String key, OptionalInt value) {
        if (value.isPresent()) {
            node.put(key, value.getAsInt());
        } else {
            node.putNull(key);
        }
    }

    /** Returns the layers, each run of equal ones as one entry. */
    private ArrayNode layers() {
        ArrayNode entries = JSON.createArrayNode();
        List<LayerSpec> layers = new ArrayList<>(spec.layers());
        while (!layers.isEmpty()) {
            LayerSpec layer = layers.getFirst();
            int repeat = 1;
            while (repeat < layers.size() && layers.get(repeat).equals(layer)) {
                repeat++;
            }
            ObjectNode entry = entries.addObject().put("repeat", repeat);
            entry.set("mixer", mixer(layer.mixer()));
            entry.set("channel", channel(layer.channel()));
            if (!layer.sparsity().equals(first.sparsity())) {
                entry.set("sparsity", sparsity(layer.sparsity()));
            }
            // Only a layer's own quantization can name linears that stay float.
            if (!layer.storage().equals(first.storage())
                    || !layer.storage().floatLinears().isEmpty()) {
                putStorage(entry.putObject("quantization"), layer.storage());
            }
            layers.subList(0, repeat).clear();
        }
        return entries;
    }

    private static void putStorage(ObjectNode quantization, LayerSpec.Storage storage) {
        quantization.put("linear", ConfigObject.nameOf(storage.linear()));
        if (storage.experts() != storage.linear()) {
            quantization.put("experts", ConfigObject.nameOf(storage.experts()));
        }
        if (!storage.floatLinears().isEmpty()) {
            ArrayNode names = quantization.putArray("float");
            storage.floatLinears().stream().sorted().forEach(names::add);
        }
    }

    private static ObjectNode mixer(MixerSpec mixer) {
        ObjectNode node = JSON.createObjectNode();
        switch (mixer) {
            case MixerSpec.Mlgru mlgru -> {
                node.put("kind", "mlgru").put("num_heads", mlgru.numHeads());
                putNumber(node, "expand_ratio", mlgru.expandRatio());
                node.put("lower_bound", mlgru.lowerBound());
                if (mlgru.convolution().isPresent()) {
                    node.putObject("conv")
                            .put("size", mlgru.convolution().get().size())
                            .put("shared", mlgru.convolution().get().shared());
                } else {
                    node.putNull("conv");
                }
            }
            case MixerSpec.Attention attention -> {
                node.put("kind", "attention")
                        .put("num_heads", attention.numHeads())
                        .put("num_kv_heads", attention.numKvHeads())
                        .put("head_dim", attention.headDim());
                putNumber(node, "rope_theta", attention.rope().theta());
                node.set("rope_scaling", ropeScaling(attention.rope()));
                node.put("sub_norm", attention.subNorm());
            }
        }
        return node;
    }

    private static JsonNode ropeScaling(RopeSpec rope) {
        ObjectNode node = JSON.createObjectNode();
        switch (rope.scaling()) {
            case RopeSpec.Scaling.None none -> {
                if (rope.freqFactors().isEmpty()) {
                    return JSON.nullNode();
                }
                node.put("rope_type", "default");
            }
            case RopeSpec.Scaling.Linear linear ->
                node.put("rope_type", "linear").put("factor", linear.factor());
            case RopeSpec.Scaling.Llama3 llama3 ->
                node.put("rope_type", "llama3")
                        .put("factor", llama3.factor())
                        .put("low_freq_factor", llama3.lowFreqFactor())
                        .put("high_freq_factor", llama3.highFreqFactor())
                        .put("original_max_position_embeddings", llama3.originalLength());
            case RopeSpec.Scaling.Yarn yarn ->
                node.put("rope_type", "yarn")
                        .put("factor", yarn.factor())
                        .put("beta_fast", yarn.betaFast())
                        .put("beta_slow", yarn.betaSlow())
                        .put("truncate", yarn.truncate())
                        .put("attention_factor", yarn.attentionFactor())
                        .put("original_max_position_embeddings", yarn.originalLength());
        }
        if (!rope.freqFactors().isEmpty()) {
            ArrayNode factors = node.putArray("freq_factors");
            rope.freqFactors().forEach(factors::add);
        }
        return node;
    }

    /** Puts a number that configurations usually give as an integer. */
    private static void putNumber(ObjectNode node, String key, double value) {
        if (value == (int) value) {
            node.put(key, (int) value);
        } else {
            node.put(key, value);
        }
    }

    private static ObjectNode channel(ChannelSpec channel) {
        ObjectNode node = JSON.createObjectNode();
        switch (channel) {
            case ChannelSpec.Glu glu -> {
                node.put("kind", "glu")
                        .put("intermediate_size", glu.intermediateSize())
                        .put("activation", ConfigObject.nameOf(glu.activation()));
                if (glu.subNorm()) {
                    node.put("sub_norm", true);
                }
            }
            case ChannelSpec.Peer peer ->
                node.put("kind", "peer")
                        .put("num_experts", peer.numExperts())
                        .put("num_heads", peer.numHeads())
                        .put("top_k", peer.topK())
                        .put("key_dim", peer.keyDim())
                        .put("activation", ConfigObject.nameOf(peer.activation()))
                        .put("score", ConfigObject.nameOf(peer.score()))
                        .put("query_norm", ConfigObject.nameOf(peer.queryNorm()))
                        .put("shared_keys", peer.sharedKeys());
        }
        return node;
    }

    private static ObjectNode sparsity(SparsitySpec sparsity) {
        ObjectNode node = JSON.createObjectNode();
        return switch (sparsity) {
            case SparsitySpec.Dense dense -> node.put("kind", "none");
            case SparsitySpec.TopK topK -> node.put("kind", "topk").put("ratio", topK.ratio());
            case SparsitySpec.BlockTopK block ->
                node.put("kind", "block_topk").put("n", block.n()).put("m", block.m());
        };
    }
}
