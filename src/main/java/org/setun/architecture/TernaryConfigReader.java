package org.setun.architecture;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.Activation;
import org.setun.model.Score;

/**
 * Reads the configuration of Setun's own checkpoints, {@code "model_type": "ternary"}. Unknown keys are ignored, unknown
 * values of known keys are errors.
 */
final class TernaryConfigReader {

    static final int FORMAT_VERSION = 1;

    private static final int DEFAULT_MAX_POSITIONS = 2048;

    private final ConfigObject config;

    /** Where the sparsity of each layer stands, for messages. */
    private final List<String> sparsityPlaces = new ArrayList<>();

    private TernaryConfigReader(ConfigObject config) {
        this.config = config;
    }

    /** Returns what {@code config} describes. */
    static ModelSpec read(ConfigObject config) throws CheckpointFormatException {
        return new TernaryConfigReader(config).model();
    }

    private ModelSpec model() throws CheckpointFormatException {
        requireFormatVersion();
        int hiddenSize = config.integer("hidden_size", 1, SizeLimits.WIDTH);
        ConfigObject linear = config.object("linear");
        Optional<Double> inputNormEpsilon =
                linear.bool("input_norm") ? Optional.of(linear.number("norm_eps", 0, 1)) : Optional.empty();
        HeadSpec head = config.bool("tie_word_embeddings", false)
                ? new HeadSpec.Tied()
                : new HeadSpec.Own(config.object("quantization").choice("lm_head", LinearStorage.FLOAT));
        ModelSpec spec = new ModelSpec(
                config.integer("vocab_size", 1, SizeLimits.VOCAB_SIZE),
                hiddenSize,
                maxPositions(),
                config.number("rms_norm_eps", 0, 1),
                specialTokens(config),
                inputNormEpsilon,
                head,
                layers(hiddenSize));
        Collection<CanonicalTensor> tensors = CanonicalTensors.of(spec).values();
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            if (spec.layers().get(layer).sparsity() instanceof SparsitySpec.BlockTopK block) {
                requireWholeBlocks(tensors, layer, block.m());
            }
        }
        return spec;
    }

    /** Checks that blocks of {@code m} fill the input of every ternary product of a layer. */
    private void requireWholeBlocks(Collection<CanonicalTensor> tensors, int layer, int m)
            throws CheckpointFormatException {
        for (CanonicalTensor tensor : tensors) {
            int width = switch (tensor) {
                case CanonicalTensor.Values values -> 0;
                case CanonicalTensor.Embedding embedding -> 0;
                case CanonicalTensor.Linear linear -> linear.storage() == LinearStorage.FLOAT ? 0 : linear.columns();
                case CanonicalTensor.Experts experts ->
                    experts.storage() == LinearStorage.FLOAT ? 0 : experts.columns();
            };
            String prefix = CanonicalTensors.layerPrefix(layer);
            if (width % m != 0 && tensor.name().startsWith(prefix)) {
                throw CheckpointFormatException.mismatch(
                        sparsityPlaces.get(layer) + "sparsity.m",
                        "a divisor of " + width + ", the width that "
                                + tensor.name().substring(prefix.length()) + " of layer " + layer + " reads",
                        m,
                        "choose blocks that fill it");
            }
        }
    }

    private int maxPositions() throws CheckpointFormatException {
        return config.optionalInteger("max_position_embeddings", 1, Integer.MAX_VALUE)
                .orElse(DEFAULT_MAX_POSITIONS);
    }

    private void requireFormatVersion() throws CheckpointFormatException {
        int version = config.integer("format_version", 1, Integer.MAX_VALUE);
        if (version > FORMAT_VERSION) {
            throw CheckpointFormatException.mismatch(
                    config.where("format_version"),
                    FORMAT_VERSION,
                    version,
                    "use the version of Setun that wrote this checkpoint, or a newer one");
        }
    }

    /** Returns the special token ids of any family's configuration. */
    static SpecialTokens specialTokens(ConfigObject config) throws CheckpointFormatException {
        return new SpecialTokens(
                config.optionalInteger("bos_token_id", 0, Integer.MAX_VALUE),
                config.integers("eos_token_id", 0, Integer.MAX_VALUE),
                config.optionalInteger("pad_token_id", -1, Integer.MAX_VALUE));
    }

    private List<LayerSpec> layers(int hiddenSize) throws CheckpointFormatException {
        int numLayers = config.integer("num_hidden_layers", 1, SizeLimits.LAYERS);
        List<LayerSpec> layers = new ArrayList<>();
        for (ConfigObject entry : config.objects("layers")) {
            int repeat = entry.optionalInteger("repeat", 1, numLayers).orElse(1);
            layers.addAll(Collections.nCopies(repeat, layer(entry, hiddenSize)));
            String place = (entry.has("sparsity") ? entry : config).where("");
            sparsityPlaces.addAll(Collections.nCopies(repeat, place));
        }
        if (layers.size() != numLayers) {
            throw CheckpointFormatException.mismatch(
                    config.where("layers"),
                    "the entries with their repeats to be " + numLayers + " layers, as num_hidden_layers says",
                    layers.size(),
                    "correct one of the two");
        }
        return layers;
    }

    private LayerSpec layer(ConfigObject entry, int hiddenSize) throws CheckpointFormatException {
        MixerSpec mixer = mixer(entry.object("mixer"), hiddenSize);
        ChannelSpec channel = channel(entry.object("channel"));
        SparsitySpec sparsity = sparsity(entry.has("sparsity") ? entry : config);
        return new LayerSpec(mixer, channel, sparsity, storage(entry, mixer, channel));
    }

    private LayerSpec.Storage storage(ConfigObject entry, MixerSpec mixer, ChannelSpec channel)
            throws CheckpointFormatException {
        boolean own = entry.has("quantization");
        ConfigObject quantization = (own ? entry : config).object("quantization");
        LinearStorage linear = quantization.choice("linear", LinearStorage.class);
        LinearStorage experts = quantization.choice("experts", linear);
        Set<String> floatLinears = own ? Set.copyOf(quantization.texts("float")) : Set.of();
        List<String> known = CanonicalTensors.linearNames(mixer, channel);
        for (String name : floatLinears) {
            if (!known.contains(name)) {
                throw CheckpointFormatException.mismatch(
                        quantization.where("float"),
                        "names out of " + String.join(", ", known),
                        '"' + name + '"',
                        "name linears of this layer");
            }
        }
        return new LayerSpec.Storage(linear, experts, floatLinears);
    }

    private MixerSpec mixer(ConfigObject mixer, int hiddenSize) throws CheckpointFormatException {
        return switch (mixer.choice("kind", MixerKind.class)) {
            case MLGRU -> {
                Optional<ConfigObject> conv = mixer.optionalObject("conv");
                yield new MixerSpec.Mlgru(
                        mixer.optionalInteger("num_heads", 1, SizeLimits.HEADS).orElse(1),
                        expandRatio(mixer, hiddenSize),
                        mixer.bool("lower_bound", true),
                        conv.isPresent() ? Optional.of(convolution(conv.get())) : Optional.empty());
            }
            case ATTENTION -> {
                int numHeads = mixer.integer("num_heads", 1, SizeLimits.HEADS);
                int numKvHeads = mixer.integer("num_kv_heads", 1, numHeads);
                if (numHeads % numKvHeads != 0) {
                    throw mixer.invalid("num_kv_heads", "a divisor of num_heads, " + numHeads);
                }
                int headDim = mixer.integer("head_dim", 2, SizeLimits.HEAD_DIM);
                if (headDim % 2 != 0) {
                    throw mixer.invalid("head_dim", "an even number, whose halves the rotary positions pair");
                }
                yield new MixerSpec.Attention(
                        numHeads,
                        numKvHeads,
                        headDim,
                        RopeReader.read(mixer, config, maxPositions(), OptionalDouble.empty())
                                .dividedBy(freqFactors(mixer, headDim)),
                        mixer.bool("sub_norm", false));
            }
        };
    }

    /** Returns the factors of the frequencies, which only Setun's own checkpoints have in their configuration. */
    private static List<Double> freqFactors(ConfigObject mixer, int headDim) throws CheckpointFormatException {
        Optional<ConfigObject> scaling = mixer.optionalObject("rope_scaling");
        if (scaling.isEmpty()) {
            return List.of();
        }
        List<Double> factors =
                scaling.get().numbers("freq_factors", RopeSpec.MIN_FREQ_FACTOR, RopeSpec.MAX_FREQ_FACTOR);
        if (!factors.isEmpty() && factors.size() != headDim / 2) {
            throw scaling.get().invalid("freq_factors", "a list of " + headDim / 2 + " numbers, half of head_dim");
        }
        return factors;
    }

    /** Returns the expand ratio of any family's configuration, such that the recurrent width is one. */
    static double expandRatio(ConfigObject config, int hiddenSize) throws CheckpointFormatException {
        return config.optionalNumber("expand_ratio", 1.0 / hiddenSize, (double) SizeLimits.WIDTH / hiddenSize)
                .orElse(1);
    }

    private static MixerSpec.Convolution convolution(ConfigObject conv) throws CheckpointFormatException {
        return new MixerSpec.Convolution(conv.integer("size", 1, SizeLimits.TAPS), conv.bool("shared"));
    }

    private static ChannelSpec channel(ConfigObject channel) throws CheckpointFormatException {
        return switch (channel.choice("kind", ChannelKind.class)) {
            case GLU ->
                new ChannelSpec.Glu(
                        channel.integer("intermediate_size", 1, SizeLimits.WIDTH),
                        channel.choice("activation", Activation.class),
                        channel.bool("sub_norm", false));
            case PEER -> {
                int numExperts = channel.integer("num_experts", 1, SizeLimits.SIDE_LENGTH * SizeLimits.SIDE_LENGTH);
                int sideLength = (int) Math.round(Math.sqrt(numExperts));
                if (sideLength * sideLength != numExperts) {
                    throw CheckpointFormatException.mismatch(
                            channel.where("num_experts"), "a square number", numExperts, "correct the file");
                }
                yield new ChannelSpec.Peer(
                        sideLength,
                        channel.integer("num_heads", 1, SizeLimits.HEADS),
                        channel.integer("top_k", 1, sideLength),
                        channel.integer("key_dim", 1, SizeLimits.HEAD_DIM / 2),
                        channel.choice("activation", Activation.GELU),
                        channel.choice("score", Score.SOFTMAX),
                        channel.choice("query_norm", ChannelSpec.QueryNorm.NONE),
                        channel.bool("shared_keys", true));
            }
        };
    }

    private static SparsitySpec sparsity(ConfigObject parent) throws CheckpointFormatException {
        Optional<ConfigObject> optional = parent.optionalObject("sparsity");
        if (optional.isEmpty()) {
            return new SparsitySpec.Dense();
        }
        ConfigObject sparsity = optional.get();
        return switch (sparsity.choice("kind", SparsityKind.class)) {
            case NONE -> new SparsitySpec.Dense();
            case TOPK -> new SparsitySpec.TopK(sparsity.number("ratio", Double.MIN_VALUE, 1));
            case BLOCK_TOPK -> {
                int m = sparsity.integer("m", 1, SizeLimits.WIDTH);
                yield new SparsitySpec.BlockTopK(sparsity.integer("n", 1, m), m);
            }
        };
    }

    private enum MixerKind {
        MLGRU,
        ATTENTION
    }

    private enum ChannelKind {
        GLU,
        PEER
    }

    private enum SparsityKind {
        NONE,
        TOPK,
        BLOCK_TOPK
    }
}
