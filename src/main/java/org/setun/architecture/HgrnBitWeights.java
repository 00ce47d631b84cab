package org.setun.architecture;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.tensor.Shape;

/** The tensors of an MMfreeLM checkpoint under canonical names. */
final class HgrnBitWeights implements WeightSource {

    private static final String EMBEDDING = "model.embeddings.weight";
    private static final String GATE = "channel.gate_proj";
    private static final String UP = "channel.up_proj";

    private final boolean tied;
    private final TensorReader reader;
    private final Map<String, float[]> lowerBounds;

    private HgrnBitWeights(boolean tied, TensorReader reader, Map<String, float[]> lowerBounds) {
        this.tied = tied;
        this.reader = reader;
        this.lowerBounds = lowerBounds;
    }

    /** Reads what concerns several layers at once. */
    static HgrnBitWeights open(ModelSpec spec, boolean tied, TensorReader reader) throws CheckpointFormatException {
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            if (spec.layers().get(layer).mixer() instanceof MixerSpec.Mlgru mlgru
                    && mlgru.convolution().isPresent()
                    && !mlgru.convolution().get().shared()) {
                // Upstream creates a third convolution and never calls it.
                reader.ignore(CanonicalTensors.layerPrefix(layer) + "attn.q_conv1d.weight");
            }
        }
        return new HgrnBitWeights(tied, reader, lowerBounds(spec, reader));
    }

    /**
     * Returns the final lower bounds of all layers: over the layers, a softmax for each channel, summed from layer 1 on, so
     * that layer 0 has none and they grow from layer to layer (arXiv 2406.02528, section 3.3.1).
     */
    private static Map<String, float[]> lowerBounds(ModelSpec spec, TensorReader reader)
            throws CheckpointFormatException {
        Map<String, float[]> bounds = new HashMap<>();
        boolean bounded = spec.layers().getFirst().mixer() instanceof MixerSpec.Mlgru mlgru && mlgru.lowerBound();
        if (!bounded) {
            return bounds;
        }
        int layers = spec.layers().size();
        int channels = spec.hiddenSize();
        float[] raw = reader.values("model.lower_bounds", Shape.of(layers, channels));
        double[] maxima = new double[channels];
        Arrays.fill(maxima, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < raw.length; i++) {
            maxima[i % channels] = Math.max(maxima[i % channels], raw[i]);
        }
        double[] totals = new double[channels];
        for (int i = 0; i < raw.length; i++) {
            totals[i % channels] += Math.exp(raw[i] - maxima[i % channels]);
        }
        double[] sums = new double[channels];
        for (int layer = 0; layer < layers; layer++) {
            float[] bound = new float[channels];
            for (int channel = 0; layer > 0 && channel < channels; channel++) {
                double logit = raw[layer * channels + channel] - maxima[channel];
                sums[channel] += Math.exp(logit) / totals[channel];
                bound[channel] = (float) sums[channel];
            }
            bounds.put(CanonicalTensors.lowerBound(layer), bound);
        }
        return bounds;
    }

    @Override
    public float[] values(String name, Shape shape) throws CheckpointFormatException {
        float[] bound = lowerBounds.get(name);
        if (bound != null) {
            return bound;
        }
        if (name.endsWith("conv.weight")) {
            // Upstream keeps the input channels of each group, always one, as a middle axis.
            String upstream = upstreamName(name).replace(".conv.", ".h_conv.").replace("_conv.", "_conv1d.");
            return reader.values(upstream, Shape.of(shape.dimension(0), 1, shape.dimension(1)));
        }
        return reader.values(upstreamName(name), shape);
    }

    @Override
    public FloatSource matrix(String name, int rows, int columns) throws CheckpointFormatException {
        return reader.floats(upstreamName(name), rows, columns);
    }

    @Override
    public TernarySource ternary(Linear linear) throws CheckpointFormatException {
        int rows = linear.rows();
        int columns = linear.columns();
        String name = upstreamName(linear.weightName());
        if (linear.name().endsWith(GATE)) {
            return reader.absmean(name, 2 * rows, columns, 0);
        }
        if (linear.name().endsWith(UP)) {
            return reader.absmean(name.replace("up_proj", "gate_proj"), 2 * rows, columns, rows);
        }
        if (tied && linear.name().equals(CanonicalTensors.HEAD)) {
            name = EMBEDDING;
        }
        return reader.absmean(name, rows, columns, 0);
    }

    private static String upstreamName(String canonical) {
        return canonical.equals(CanonicalTensors.EMBEDDING)
                ? EMBEDDING
                : canonical
                        .replace(".mixer_norm.", ".attn_norm.")
                        .replace(".channel_norm.", ".mlp_norm.")
                        .replace(".mixer.", ".attn.")
                        .replace(".channel.", ".mlp.");
    }
}
