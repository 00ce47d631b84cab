package org.setun.architecture;

import java.util.Map;
import java.util.Set;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.TernaryBlocks;
import org.setun.tensor.Shape;

/** The tensors of a GGUF file under canonical names. */
final class GgufWeights implements WeightSource {

    /** What divides the frequencies of rotary positions: a part of the configuration that lies among the tensors. */
    static final String ROPE_FREQS = "rope_freqs.weight";

    private static final String WEIGHT = ".weight";

    private static final Map<String, String> OF_MODEL = Map.of(
            CanonicalTensors.EMBEDDING,
            "token_embd.weight",
            CanonicalTensors.FINAL_NORM,
            "output_norm.weight",
            CanonicalTensors.HEAD + WEIGHT,
            "output.weight");

    private static final Map<String, String> OF_LAYER = Map.ofEntries(
            Map.entry("mixer_norm", "attn_norm"),
            Map.entry("mixer.q_proj", "attn_q"),
            Map.entry("mixer.k_proj", "attn_k"),
            Map.entry("mixer.v_proj", "attn_v"),
            Map.entry("mixer.o_proj", "attn_output"),
            Map.entry("mixer.sub_norm", "attn_sub_norm"),
            Map.entry("channel_norm", "ffn_norm"),
            Map.entry("channel.gate_proj", "ffn_gate"),
            Map.entry("channel.up_proj", "ffn_up"),
            Map.entry("channel.down_proj", "ffn_down"),
            Map.entry("channel.sub_norm", "ffn_sub_norm"));

    /** Ends of the names of the linears whose output rotary positions turn. */
    private static final Set<String> TURNED = Set.of("mixer.q_proj", "mixer.k_proj");

    private final RowOrder order;
    private final TensorReader reader;

    /**
     * Creates a view.
     *
     * @param order in which the file stores the rows of the linears whose output rotary positions turn
     */
    GgufWeights(RowOrder order, TensorReader reader) {
        this.order = order;
        this.reader = reader;
    }

    /** Returns the name of a tensor in GGUF files. */
    static String nameOf(String canonical) {
        String ofModel = OF_MODEL.get(canonical);
        if (ofModel != null) {
            return ofModel;
        }
        String prefix = CanonicalTensors.layerPrefix(0).replace("0.", "");
        int dot = canonical.indexOf('.', prefix.length());
        String layer = canonical.substring(prefix.length(), dot);
        String part = canonical.substring(dot + 1, canonical.length() - WEIGHT.length());
        String ofLayer = OF_LAYER.get(part);
        if (ofLayer == null) {
            throw new IllegalArgumentException("GGUF files have no tensor " + canonical);
        }
        return "blk." + layer + "." + ofLayer + WEIGHT;
    }

    @Override
    public float[] values(String name, Shape shape) throws CheckpointFormatException {
        return reader.values(nameOf(name), shape);
    }

    @Override
    public FloatSource matrix(String name, int rows, int columns) throws CheckpointFormatException {
        return reader.anyFloats(nameOf(name), rows, columns);
    }

    @Override
    public TernarySource ternary(Linear linear) throws CheckpointFormatException {
        String name = nameOf(linear.weightName());
        TernaryBlocks blocks = TernaryBlocks.of(reader.stored(name), linear.rows(), linear.columns());
        // Some converters leave a factor of the output beside the weights.
        String scaleName = name.replace(WEIGHT, ".scale");
        boolean hasFactor = reader.checkpoint().find(scaleName).isPresent();
        float factor = hasFactor ? reader.values(scaleName, Shape.of(1))[0] : 1;
        boolean turned = TURNED.stream().anyMatch(linear.name()::endsWith);
        return GgufTrits.of(blocks, turned ? order : new RowOrder.Halves(), factor);
    }
}
