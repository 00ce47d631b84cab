package org.setun.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.Activation;

/**
 * The transformers with ternary linears that the transformers library runs: BitNet b1.58 (arXiv 2402.17764, 2504.12285), and
 * Llama with the same linears, as Falcon-E has them. Keys that a configuration leaves out have the defaults of its class.
 *
 * @param quantization how the linears are stored
 */
record TransformerRecipe(ModelSpec spec, BitnetQuantization quantization) implements Recipe {

    private static final Map<String, Activation> ACTIVATIONS = Map.of(
            "silu", Activation.SILU,
            "swish", Activation.SILU,
            "relu2", Activation.RELU2,
            "relu", Activation.RELU,
            "gelu", Activation.GELU);

    static final String BITNET_TYPE = "bitnet";
    static final String LLAMA_TYPE = "llama";

    private static final Family BITNET =
            new Family(true, 128_256, 2560, 6912, 30, 20, OptionalInt.of(5), "relu2", 1e-5, 500_000, 128_000, 128_001);

    private static final Family LLAMA =
            new Family(false, 32_000, 4096, 11_008, 32, 32, OptionalInt.empty(), "silu", 1e-6, 10_000, 1, 2);

    /**
     * In what the classes differ: their parts, and the values of keys that a configuration leaves out.
     *
     * @param subNorm whether norms stand in front of the last projection of each half
     * @param keyValueHeads empty for as many as query heads
     */
    private record Family(
            boolean subNorm,
            int vocabSize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            OptionalInt keyValueHeads,
            String activation,
            double normEpsilon,
            double ropeTheta,
            int bos,
            int eos) {}

    /** Returns the recipe for a configuration of type {@code bitnet} or {@code llama}. */
    static TransformerRecipe of(ConfigObject config) throws CheckpointFormatException {
        Family family = config.text("model_type").equals(BITNET_TYPE) ? BITNET : LLAMA;
        refuseBias(config, "attention_bias");
        refuseBias(config, "mlp_bias");
        BitnetQuantization quantization = BitnetQuantization.read(config);
        int hiddenSize =
                config.optionalInteger("hidden_size", 1, SizeLimits.WIDTH).orElse(family.hiddenSize);
        int maxPositions = config.optionalInteger("max_position_embeddings", 1, Integer.MAX_VALUE)
                .orElse(2048);
        MixerSpec mixer = attention(config, family, hiddenSize, maxPositions);
        ChannelSpec channel = new ChannelSpec.Glu(
                config.optionalInteger("intermediate_size", 1, SizeLimits.WIDTH).orElse(family.intermediateSize),
                activation(config, family.activation),
                family.subNorm);
        int numLayers = config.optionalInteger("num_hidden_layers", 1, SizeLimits.LAYERS)
                .orElse(family.layers);
        List<LayerSpec> layers = new ArrayList<>();
        for (int layer = 0; layer < numLayers; layer++) {
            LayerSpec.Storage storage = storage(quantization, layer, CanonicalTensors.linearNames(mixer, channel));
            layers.add(new LayerSpec(mixer, channel, new SparsitySpec.Dense(), storage));
        }
        ModelSpec spec = new ModelSpec(
                config.optionalInteger("vocab_size", 1, SizeLimits.VOCAB_SIZE).orElse(family.vocabSize),
                hiddenSize,
                maxPositions,
                config.optionalNumber("rms_norm_eps", 0, 1).orElse(family.normEpsilon),
                specialTokens(config, family),
                Optional.empty(),
                config.bool("tie_word_embeddings", false) ? new HeadSpec.Tied() : new HeadSpec.Own(LinearStorage.FLOAT),
                layers);
        return new TransformerRecipe(spec, quantization);
    }

    private static void refuseBias(ConfigObject config, String key) throws CheckpointFormatException {
        if (config.bool(key, false)) {
            throw config.invalid(key, "false, as Setun runs linears without bias");
        }
    }

    private static MixerSpec attention(ConfigObject config, Family family, int hiddenSize, int maxPositions)
            throws CheckpointFormatException {
        int heads = config.optionalInteger("num_attention_heads", 1, SizeLimits.HEADS)
                .orElse(family.heads);
        int keyValueHeads = config.mentions("num_key_value_heads")
                ? config.optionalInteger("num_key_value_heads", 1, heads).orElse(heads)
                : family.keyValueHeads.orElse(heads);
        if (heads % keyValueHeads != 0) {
            throw mismatch(config, "num_key_value_heads", "a divisor of num_attention_heads, " + heads, keyValueHeads);
        }
        return new MixerSpec.Attention(
                heads,
                keyValueHeads,
                headDim(config, hiddenSize, heads),
                RopeReader.read(config, config, maxPositions, OptionalDouble.of(family.ropeTheta)),
                family.subNorm);
    }

    private static int headDim(ConfigObject config, int hiddenSize, int heads) throws CheckpointFormatException {
        OptionalInt given = config.optionalInteger("head_dim", 2, SizeLimits.HEAD_DIM);
        if (given.isEmpty() && (hiddenSize % heads != 0 || hiddenSize / heads > SizeLimits.HEAD_DIM)) {
            throw mismatch(
                    config,
                    "num_attention_heads",
                    "heads that share hidden_size, " + hiddenSize + ", evenly and have at most " + SizeLimits.HEAD_DIM,
                    heads);
        }
        int headDim = given.orElse(hiddenSize / heads);
        if (headDim % 2 != 0) {
            throw mismatch(config, "head_dim", "an even number, whose halves the rotary positions pair", headDim);
        }
        return headDim;
    }

    private static CheckpointFormatException mismatch(ConfigObject config, String key, String expected, int found) {
        return CheckpointFormatException.mismatch(config.where(key), expected, found, "correct the file");
    }

    private static Activation activation(ConfigObject config, String fallback) throws CheckpointFormatException {
        String name = config.has("hidden_act")
                ? config.choice(
                        "hidden_act", ACTIVATIONS.keySet().stream().sorted().toList())
                : fallback;
        return Optional.ofNullable(ACTIVATIONS.get(name)).orElseThrow();
    }

    private static SpecialTokens specialTokens(ConfigObject config, Family family) throws CheckpointFormatException {
        SpecialTokens tokens = TernaryConfigReader.specialTokens(config);
        return new SpecialTokens(
                config.mentions("bos_token_id") ? tokens.bos() : OptionalInt.of(family.bos),
                config.mentions("eos_token_id") ? tokens.eos() : List.of(family.eos),
                tokens.pad());
    }

    private static LayerSpec.Storage storage(BitnetQuantization quantization, int layer, List<String> linears) {
        LinearStorage linear = switch (quantization.weights()) {
            case FLOAT -> LinearStorage.FLOAT;
            case MASTERS -> LinearStorage.ONLINE;
            case TRITS, TRITS_WITH_RECIPROCAL -> LinearStorage.U2_ROWS;
        };
        Set<String> floats = linears.stream()
                .filter(name -> quantization.excludes(
                        TransformerWeights.upstreamName(CanonicalTensors.layerPrefix(layer) + name)))
                .collect(Collectors.toSet());
        return new LayerSpec.Storage(linear, linear, linear == LinearStorage.FLOAT ? Set.of() : floats);
    }

    @Override
    public WeightSource weights(TensorReader reader) {
        return new TransformerWeights(spec, quantization.weights(), reader);
    }
}
