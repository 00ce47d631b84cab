package org.setun.architecture;

import java.util.ArrayList;
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
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/**
 * BitNet b1.58, and Llama with the same linears, in a GGUF file as llama.cpp and bitnet.cpp write them: the configuration is the
 * file's metadata, and the scales of the trits lie with them.
 *
 * @param order in which the file stores the rows of the query and key projections
 */
record GgufRecipe(ModelSpec spec, RowOrder order) implements Recipe {

    static final String ARCHITECTURE = "general.architecture";

    /** The mainline's name means the activation of the first open models, the forks' names that of BitNet b1.58 2B4T. */
    private static final Map<String, Family> FAMILIES = Map.of(
            "bitnet", new Family(Activation.SILU, false),
            "bitnet-b1.58", new Family(Activation.RELU2, false),
            "bitnet-25", new Family(Activation.RELU2, false),
            "llama", new Family(Activation.SILU, true));

    private static final double DEFAULT_THETA = 10_000;
    private static final double MAX_THETA = 1e30;

    /**
     * In what the architectures differ.
     *
     * @param llama whether it is Llama's graph: no norms inside mixers, rotary positions on neighbours, and factors of their
     *     frequencies if the file has them
     */
    private record Family(Activation activation, boolean llama) {}

    /** Returns the recipe for a file. */
    static GgufRecipe of(GgufCheckpoint checkpoint) throws CheckpointFormatException {
        return new Reader(checkpoint).recipe();
    }

    @Override
    public WeightSource weights(TensorReader reader) {
        if (order instanceof RowOrder.Neighbours) {
            // The configuration has read them already.
            reader.ignore(GgufWeights.ROPE_FREQS);
        }
        return new GgufWeights(order, reader);
    }

    /** Reads the metadata of one file. */
    private static final class Reader {

        private static final LayerSpec.Storage TRITS =
                new LayerSpec.Storage(LinearStorage.U2_ROWS, LinearStorage.U2_ROWS, Set.of());

        private final GgufCheckpoint checkpoint;
        private final GgufMetadata metadata;
        private final String architecture;
        private final Family family;

        Reader(GgufCheckpoint checkpoint) throws CheckpointFormatException {
            this.checkpoint = checkpoint;
            this.metadata = checkpoint.keyValues();
            this.architecture = metadata.string(ARCHITECTURE);
            Family known = FAMILIES.get(architecture);
            if (known == null) {
                throw metadata.mismatch(
                        ARCHITECTURE,
                        "one of " + String.join(", ", new TreeSet<>(FAMILIES.keySet()))
                                + ", of which Setun runs GGUF files",
                        architecture);
            }
            this.family = known;
        }

        GgufRecipe recipe() throws CheckpointFormatException {
            OptionalInt experts = metadata.findCount(key("expert_count"));
            if (experts.orElse(0) != 0) {
                throw mismatch("expert_count", "0, as Setun runs no mixtures of experts here", experts.getAsInt());
            }
            int hiddenSize = size("embedding_length", SizeLimits.WIDTH);
            int maxPositions = size("context_length", Integer.MAX_VALUE);
            MixerSpec.Attention attention = attention(hiddenSize, maxPositions);
            LayerSpec layer = new LayerSpec(
                    attention,
                    new ChannelSpec.Glu(
                            size("feed_forward_length", SizeLimits.WIDTH), family.activation, !family.llama),
                    new SparsitySpec.Dense(),
                    TRITS);
            ModelSpec spec = new ModelSpec(
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
            return new GgufRecipe(
                    spec, family.llama ? new RowOrder.Neighbours(attention.headDim()) : new RowOrder.Halves());
        }

        private MixerSpec.Attention attention(int hiddenSize, int maxPositions) throws CheckpointFormatException {
            int heads = size("attention.head_count", SizeLimits.HEADS);
            int keyValueHeads =
                    metadata.has(key("attention.head_count_kv")) ? size("attention.head_count_kv", heads) : heads;
            if (heads % keyValueHeads != 0) {
                throw mismatch("attention.head_count_kv", "a divisor of the " + heads + " heads", keyValueHeads);
            }
            int headDim = headDim(hiddenSize, heads);
            return new MixerSpec.Attention(heads, keyValueHeads, headDim, rope(maxPositions, headDim), !family.llama);
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

        private RopeSpec rope(int maxPositions, int headDim) throws CheckpointFormatException {
            double theta = metadata.has(key("rope.freq_base"))
                    ? number("rope.freq_base", RopeReader.MIN_THETA, MAX_THETA)
                    : DEFAULT_THETA;
            // As llama.cpp has it, a factor alone scales linearly.
            String type = metadata.findString(key("rope.scaling.type"))
                    .orElse(metadata.has(key("rope.scaling.factor")) ? "linear" : "none");
            return new RopeSpec(
                    theta,
                    family.llama ? freqFactors(headDim) : List.of(),
                    switch (type) {
                        case "none" -> new RopeSpec.Scaling.None();
                        case "linear" -> new RopeSpec.Scaling.Linear(factor());
                        case "yarn" -> yarn(factor(), maxPositions);
                        default -> throw metadata.mismatch(key("rope.scaling.type"), "none, linear or yarn", type);
                    });
        }

        private List<Double> freqFactors(int headDim) throws CheckpointFormatException {
            Optional<StoredTensor> stored = checkpoint.find(GgufWeights.ROPE_FREQS);
            if (stored.isEmpty()) {
                return List.of();
            }
            StoredTensor tensor = stored.get();
            tensor.requireShape(Shape.of(headDim / 2));
            tensor.requireType(ElementType.F32);
            List<Double> factors = new ArrayList<>();
            for (double factor : tensor.floats()) {
                if (!(factor >= RopeSpec.MIN_FREQ_FACTOR && factor <= RopeSpec.MAX_FREQ_FACTOR)) {
                    throw CheckpointFormatException.mismatch(
                            tensor.where() + ", element " + factors.size(),
                            "a number from " + RopeSpec.MIN_FREQ_FACTOR + " to " + RopeSpec.MAX_FREQ_FACTOR,
                            factor,
                            TensorReader.DAMAGED);
                }
                factors.add(factor);
            }
            return factors;
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
