package org.setun.architecture;

import org.setun.architecture.BitnetQuantization.Weights;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/** The tensors of a transformer under canonical names. */
final class TransformerWeights implements WeightSource {

    private static final TernaryPacking PACKING = TernaryPacking.U2_ROWS;

    private final Weights weights;
    private final TensorReader reader;

    TransformerWeights(ModelSpec spec, Weights weights, TensorReader reader) {
        this.weights = weights;
        this.reader = reader;
        if (spec.head() instanceof ModelSpec.HeadSpec.Tied) {
            // Some files store the embedding twice, and upstream takes the first.
            reader.ignore(CanonicalTensors.HEAD + ".weight");
        }
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            // Once stored by upstream, and always computed.
            reader.ignore(CanonicalTensors.layerPrefix(layer) + "self_attn.rotary_emb.inv_freq");
        }
    }

    /** Returns upstream's name of a tensor or a module. */
    static String upstreamName(String canonical) {
        return canonical
                .replace(".mixer_norm.", ".input_layernorm.")
                .replace(".channel_norm.", ".post_attention_layernorm.")
                .replace(".mixer.sub_norm.", ".self_attn.attn_sub_norm.")
                .replace(".channel.sub_norm.", ".mlp.ffn_sub_norm.")
                .replace(".mixer.", ".self_attn.")
                .replace(".channel.", ".mlp.");
    }

    @Override
    public float[] values(String name, Shape shape) throws CheckpointFormatException {
        return reader.values(upstreamName(name), shape);
    }

    @Override
    public FloatSource matrix(String name, int rows, int columns) throws CheckpointFormatException {
        String stored = upstreamName(name);
        if (weights == Weights.FLOAT && reader.stored(stored).type() == ElementType.U8) {
            throw CheckpointFormatException.mismatch(
                    reader.stored(stored).where(),
                    "floats, since config.json has no quantization_config",
                    ElementType.U8,
                    "take config.json and the weights from the same model");
        }
        return reader.floats(stored, rows, columns);
    }

    @Override
    public TernarySource ternary(Linear linear) throws CheckpointFormatException {
        String name = upstreamName(linear.weightName());
        int rows = linear.rows();
        int columns = linear.columns();
        return switch (weights) {
            case MASTERS -> reader.absmean(name, rows, columns, 0);
            case TRITS -> trits(name, rows, columns, scale(linear));
            case TRITS_WITH_RECIPROCAL -> trits(name, rows, columns, 1 / scale(linear));
            case FLOAT -> throw new IllegalArgumentException(linear.name() + " is float");
        };
    }

    private float scale(Linear linear) throws CheckpointFormatException {
        String name = upstreamName(linear.scaleName());
        float scale = reader.values(name, Shape.of(1))[0];
        if (!(scale > 0) || !Float.isFinite(1 / scale)) {
            throw CheckpointFormatException.mismatch(
                    reader.stored(name).where(), "a scale above 0", scale, "the file is damaged; download it again");
        }
        return scale;
    }

    /** Returns stored trits, packed or as the floats -1, 0 and 1. */
    private TernarySource trits(String name, int rows, int columns, float scale) throws CheckpointFormatException {
        StoredTensor tensor = reader.stored(name);
        if (tensor.type() != ElementType.U8) {
            return new FloatTrits(tensor, reader.matrix(name, rows, columns), new TritScales.Uniform(scale));
        }
        // Upstream's packer rounds up, so that a matrix may have rows too many.
        int fields = PACKING.rowsPerPackedRow();
        int packedRows = Math.ceilDiv(rows, fields) * fields;
        return reader.packed(name, PACKING, packedRows, columns, new TritScales.Uniform(scale));
    }
}
