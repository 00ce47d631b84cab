package org.setun.architecture;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.GgufCheckpoint;
import org.setun.checkpoint.GgufMetadata;
import org.setun.checkpoint.StoredTensor;
import org.setun.kernel.Activation;

/**
 * BitNet b1.58 in a GGUF file, as llama.cpp and bitnet.cpp write them: the configuration is the file's metadata, and the scales
 * of the trits lie with them.
 */
record GgufRecipe(ModelSpec spec) implements Recipe {

    static final String ARCHITECTURE = "general.architecture";

    /** The mainline's name means the activation of the first open models, the forks' names that of BitNet b1.58 2B4T. */
    private static final Map<String, Activation> ACTIVATIONS = Map.of(
            "bitnet", Activation.SILU,
            "bitnet-b1.58", Activation.RELU2,
            "bitnet-25", Activation.RELU2);

    private static final double DEFAULT_THETA = 10_000;
    private static final double MAX_THETA = 1e30;

    /** Returns the recipe for a file. */
    static GgufRecipe of(GgufCheckpoint checkpoint) throws CheckpointFormatException {
        return new GgufRecipe(new Reader(checkpoint).spec());
    }

    @Override
    public WeightSource weights(TensorReader reader) {
        return new GgufWeights(reader);
    }

    /** Reads the metadata of one file. */
    private static final class Reader {

        private static final LayerSpec.Storage TRITS =
                new LayerSpec.Storage(LinearStorage.U2_ROWS, LinearStorage.U2_ROWS, Set.of());

        private final GgufCheckpoint checkpoint;
        private final GgufMetadata metadata;
        private final String architecture;
        private final Activation activation;

        Reader(GgufCheckpoint checkpoint) throws CheckpointFormatException {
            this.checkpoint = checkpoint;
            this.metadata = checkpoint.keyValues();
            this.architecture = metadata.string(ARCHITECTURE);
            Activation known = ACTIVATIONS.get(architecture);
            if (known == null) {
                throw metadata.mismatch(
                        ARCHITECTURE,
                        "one of " + String.join(", ", new TreeSet<>(ACTIVATIONS.keySet()))
                                + ", of which Setun runs GGUF files",
                        architecture);
            }
            this.activation = known;
        }

        ModelSpec spec() throws CheckpointFormatException {
            int hiddenSize = size("embedding_length", SizeLimits.WIDTH);
            int maxPositions = size("context_length", Integer.MAX_VALUE);
            LayerSpec layer = new LayerSpec(
                    attention(hiddenSize, maxPositions),
                    new ChannelSpec.Glu(size("feed_forward_length", SizeLimits.WIDTH), activation, true),
                    new SparsitySpec.Dense(),
                    TRITS);
            return new ModelSpec(
                    vocabSize(),
                    hiddenSize,
                    maxPositions,
                    number("attention.layer_norm_rms_epsilon", 0, 1),
                    tokens(),
                    Optional.empty(),
                    has(CanonicalTensors.HEAD + ".weight")
                            ? new HeadSpec.Own(LinearStorage.FLOAT)
                            : new HeadSpec.Tied(),
                    Collections.nCopies(size("block_count", SizeLimits.LAYERS), layer));
        }

        private MixerSpec attention(int hiddenSize, int maxPositions) throws CheckpointFormatException {
            int heads = size("attention.head_count", SizeLimits.HEADS);
            int keyValueHeads =
                    metadata.has(key("attention.head_count_kv")) ? size("attention.head_count_kv", heads) : heads;
            if (heads % keyValueHeads != 0) {
                throw mismatch("attention.head_count_kv", "a divisor of the " + heads + " heads", keyValueHeads);
            }
            int headDim = headDim(hiddenSize, heads);
            return new MixerSpec.Attention(heads, keyValueHeads, headDim, rope(maxPositions), true);
        }

        private int headDim(int hiddenSize, int heads) throws CheckpointFormatException {
            String key = "attention.key_length";
            int headDim = metadata.has(key(key)) ? size(key, SizeLimits.HEAD_DIM) : hiddenSize / heads;
            if (headDim < 2 || headDim % 2 != 0 || headDim > SizeLimits.HEAD_DIM) {
                throw mismatch(
                        metadata.has(key(key)) ? key : "attention.head_count",
                        "heads of an even width up to " + SizeLimits.HEAD_DIM,
                        headDim);
            }
            requireEqual("attention.value_length", headDim);
            requireEqual("rope.dimension_count", headDim);
            return headDim;
        }

        private void requireEqual(String name, int headDim) throws CheckpointFormatException {
            OptionalInt found = metadata.findCount(key(name));
            if (found.isPresent() && found.getAsInt() != headDim) {
                throw mismatch(name, "the width of a head, " + headDim, found.getAsInt());
            }
        }

        private RopeSpec rope(int maxPositions) throws CheckpointFormatException {
            double theta = metadata.has(key("rope.freq_base"))
                    ? number("rope.freq_base", RopeReader.MIN_THETA, MAX_THETA)
                    : DEFAULT_THETA;
            String type = metadata.findString(key("rope.scaling.type")).orElse("none");
            return new RopeSpec(
                    theta,
                    List.of(),
                    switch (type) {
                        case "none" -> new RopeSpec.Scaling.None();
                        case "linear" -> new RopeSpec.Scaling.Linear(factor());
                        case "yarn" -> yarn(factor(), maxPositions);
                        default -> throw metadata.mismatch(key("rope.scaling.type"), "none, linear or yarn", type);
                    });
        }

        private RopeSpec.Scaling yarn(double factor, int maxPositions) throws CheckpointFormatException {
            OptionalInt original = metadata.findCount(key("rope.scaling.original_context_length"));
            OptionalDouble attention = metadata.findDecimal(key("rope.scaling.attn_factor"));
            return new RopeSpec.Scaling.Yarn(
                    factor,
                    RopeReader.BETA_FAST,
                    RopeReader.BETA_SLOW,
                    true,
                    attention.orElse(1) * RopeReader.magnitude(factor, 1),
                    original.orElse(maxPositions));
        }

        private double factor() throws CheckpointFormatException {
            return number("rope.scaling.factor", 1 / RopeReader.MAX_FACTOR, RopeReader.MAX_FACTOR);
        }

        private int vocabSize() throws CheckpointFormatException {
            StoredTensor embedding = checkpoint.require(GgufWeights.nameOf(CanonicalTensors.EMBEDDING));
            long rows = embedding.shape().rank() == 0 ? 0 : embedding.shape().dimension(0);
            if (rows < 1 || rows > SizeLimits.VOCAB_SIZE) {
                throw CheckpointFormatException.mismatch(
                        embedding.where(),
                        "1 to " + SizeLimits.VOCAB_SIZE + " rows, one for each token",
                        rows,
                        "the file is damaged; download it again");
            }
            return (int) rows;
        }

        private SpecialTokens tokens() throws CheckpointFormatException {
            OptionalInt eos = metadata.findCount("tokenizer.ggml.eos_token_id");
            return new SpecialTokens(
                    metadata.findCount("tokenizer.ggml.bos_token_id"),
                    eos.isPresent() ? List.of(eos.getAsInt()) : List.of(),
                    metadata.findCount("tokenizer.ggml.padding_token_id"));
        }

        private boolean has(String canonical) {
            return checkpoint.find(GgufWeights.nameOf(canonical)).isPresent();
        }

        private String key(String name) {
            return architecture + "." + name;
        }

        private int size(String name, int max) throws CheckpointFormatException {
            int size = metadata.count(key(name));
            if (size < 1 || size > max) {
                throw mismatch(name, "1 to " + max, size);
            }
            return size;
        }

        private double number(String name, double min, double max) throws CheckpointFormatException {
            double number = metadata.decimal(key(name));
            if (!(number >= min && number <= max)) {
                throw metadata.mismatch(key(name), "a number from " + min + " to " + max, Double.toString(number));
            }
            return number;
        }

        private CheckpointFormatException mismatch(String name, String expected, int found) {
            return metadata.mismatch(key(name), expected, Integer.toString(found));
        }
    }
}
