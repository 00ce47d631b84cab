package org.setun.architecture;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.Activation;

/**
 * The MatMul-free language model (arXiv 2406.02528) as MMfreeLM publishes it: float masters that become ternary on the way.
 * Keys that a configuration leaves out have upstream's defaults.
 *
 * @param tied whether the head is the embedding, made ternary
 */
record HgrnBitRecipe(ModelSpec spec, boolean tied) implements Recipe {

    static final String MODEL_TYPE = "hgrn_bit";

    /**
     * Epsilon of the norms inside linears. Upstream's module prints 1e-8, but the fused operation that it really runs
     * takes only the module's weight and uses its own default.
     */
    private static final double INPUT_NORM_EPSILON = 1e-6;

    private static final int INTERMEDIATE_MULTIPLE = 256;

    private static final LayerSpec.Storage FLOAT_MASTERS =
            new LayerSpec.Storage(LinearStorage.ONLINE, LinearStorage.ONLINE, Set.of());

    /** Returns the recipe for a configuration of this family. */
    static HgrnBitRecipe of(ConfigObject config) throws CheckpointFormatException {
        if (config.has("attn_mode")) {
            config.choice("attn_mode", List.of("fused_recurrent"));
        }
        int hiddenSize =
                config.optionalInteger("hidden_size", 1, SizeLimits.WIDTH).orElse(2048);
        int numLayers = config.optionalInteger("num_hidden_layers", 1, SizeLimits.LAYERS)
                .orElse(24);
        LayerSpec layer = new LayerSpec(
                mixer(config, hiddenSize),
                new ChannelSpec.Glu(intermediateSize(config, hiddenSize), Activation.SILU, false),
                new SparsitySpec.Dense(),
                FLOAT_MASTERS);
        ModelSpec spec = new ModelSpec(
                config.optionalInteger("vocab_size", 1, SizeLimits.VOCAB_SIZE).orElse(32_000),
                hiddenSize,
                config.optionalInteger("max_position_embeddings", 1, Integer.MAX_VALUE)
                        .orElse(2048),
                config.optionalNumber("rms_norm_eps", 0, 1).orElse(1e-6),
                specialTokens(config),
                Optional.of(INPUT_NORM_EPSILON),
                new HeadSpec.Own(LinearStorage.ONLINE),
                Collections.nCopies(numLayers, layer));
        return new HgrnBitRecipe(spec, config.bool("tie_word_embeddings", false));
    }

    private static MixerSpec.Mlgru mixer(ConfigObject config, int hiddenSize) throws CheckpointFormatException {
        Optional<MixerSpec.Convolution> convolution = config.bool("use_short_conv", false)
                ? Optional.of(new MixerSpec.Convolution(
                        config.optionalInteger("conv_size", 1, SizeLimits.TAPS).orElse(4),
                        config.bool("share_conv_kernel", true)))
                : Optional.empty();
        MixerSpec.Mlgru mixer = new MixerSpec.Mlgru(
                config.optionalInteger("num_heads", 1, SizeLimits.HEADS).orElse(1),
                TernaryConfigReader.expandRatio(config, hiddenSize),
                config.bool("use_lower_bound", true),
                convolution);
        int width = mixer.width(hiddenSize);
        if (mixer.lowerBound() && width != hiddenSize) {
            throw CheckpointFormatException.mismatch(
                    config.where("expand_ratio"),
                    "a recurrent width of " + hiddenSize + ", for which lower bounds are stored",
                    width,
                    "set it to 1, or use_lower_bound to false");
        }
        return mixer;
    }

    private static int intermediateSize(ConfigObject config, int hiddenSize) throws CheckpointFormatException {
        if (config.has("intermediate_size")) {
            return config.integer("intermediate_size", 1, SizeLimits.WIDTH);
        }
        double ratio = config.optionalNumber("hidden_ratio", 1.0 / hiddenSize, (double) SizeLimits.WIDTH / hiddenSize)
                .orElse(4);
        int width = Math.max(1, (int) (hiddenSize * ratio * 2 / 3));
        return Math.ceilDiv(width, INTERMEDIATE_MULTIPLE) * INTERMEDIATE_MULTIPLE;
    }

    private static SpecialTokens specialTokens(ConfigObject config) throws CheckpointFormatException {
        SpecialTokens tokens = TernaryConfigReader.specialTokens(config);
        return new SpecialTokens(
                config.mentions("bos_token_id") ? tokens.bos() : OptionalInt.of(1),
                config.mentions("eos_token_id") ? tokens.eos() : List.of(2),
                tokens.pad());
    }

    @Override
    public WeightSource weights(TensorReader reader) throws CheckpointFormatException {
        return HgrnBitWeights.open(spec, tied, reader);
    }
}
