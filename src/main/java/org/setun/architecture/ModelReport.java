package org.setun.architecture;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.setun.model.KeyValueFormat;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/**
 * What a checkpoint holds.
 *
 * @param family its {@code model_type}
 * @param architecture the name of upstream's model class
 * @param composition what the layers consist of, a line for each run of equal ones; empty if this version cannot load them
 * @param layers the number of layers; 0 if this version cannot load them
 * @param parameters the number of weights
 * @param experts the number of experts in the PEER layer with the most; 0 if there is none, or this version cannot load them
 * @param loadedBytes the memory that the weights take once loaded, without matrices that stay in their file; 0 if this version cannot load them
 * @param sequence the memory that a sequence takes besides; nothing if this version cannot load them
 * @param stored the tensors as they are stored
 * @param ternary the matrices that are ternary once loaded
 * @param obstacle why this version does not load the model; empty where it does
 */
public record ModelReport(
        String family,
        String architecture,
        List<String> composition,
        int layers,
        long parameters,
        int experts,
        long loadedBytes,
        Sequence sequence,
        List<Stored> stored,
        List<Ternary> ternary,
        Optional<String> obstacle) {

    public ModelReport {
        composition = List.copyOf(composition);
        stored = List.copyOf(stored);
        ternary = List.copyOf(ternary);
    }

    /**
     * The memory that a sequence takes.
     *
     * @param recurrentBytes what the recurrent layers keep, however long the sequence is
     * @param tokenBytes what the attention layers keep of each token
     * @param format how they keep it
     */
    public record Sequence(long recurrentBytes, long tokenBytes, KeyValueFormat format) {

        static final Sequence NONE = new Sequence(0, 0, KeyValueFormat.F32);

        static Sequence of(ModelSpec spec, KeyValueFormat format) {
            return new Sequence(
                    spec.layers().stream()
                            .mapToLong(layer -> layer.mixer().recurrentBytes(spec.hiddenSize()))
                            .sum(),
                    spec.layers().stream()
                            .mapToLong(layer -> layer.mixer().tokenBytes(format))
                            .sum(),
                    format);
        }
    }

    /**
     * A tensor as it is stored.
     *
     * @param name its name in the file
     * @param type how an element is stored
     * @param shape the stored extents
     * @param bytes the size of its data
     */
    public record Stored(String name, ElementType type, Shape shape, long bytes) {

        private static final int TRITS_PER_BYTE = 4;

        /** Returns the number of weights; ternary models store bytes only as packed trits. */
        long weights() {
            return shape.elements() * (type == ElementType.U8 ? TRITS_PER_BYTE : 1);
        }
    }

    /**
     * A ternary matrix, or a table of experts.
     *
     * @param name the name of the linear or the table in Setun's own checkpoints
     * @param rows outputs, or experts
     * @param columns inputs, or the width of an expert's row
     * @param zeros how many of the weights are zero
     * @param negatives how many are negative
     */
    public record Ternary(String name, int rows, int columns, long zeros, long negatives) {

        private static final Pattern OF_LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)");

        /** Returns the number of weights. */
        public long weights() {
            return (long) rows * columns;
        }

        /** Returns the layer that it belongs to, from 0; empty for what stands outside of the layers. */
        public OptionalInt layer() {
            Matcher matcher = OF_LAYER.matcher(name);
            return matcher.matches() ? OptionalInt.of(Integer.parseInt(matcher.group(1))) : OptionalInt.empty();
        }

        /** Returns its name within its layer, such as {@code mixer.o_proj}. */
        public String matrix() {
            Matcher matcher = OF_LAYER.matcher(name);
            return matcher.matches() ? matcher.group(2) : name;
        }

        /** Returns how many of the weights are positive. */
        public long positives() {
            return weights() - zeros - negatives;
        }

        /** Returns the fraction of weights that are zero. */
        public double zeroFraction() {
            return (double) zeros / weights();
        }
    }

    /** Returns the size of all tensors in the file. */
    public long storedBytes() {
        return stored.stream().mapToLong(Stored::bytes).sum();
    }

    /** Returns how most of the weights are stored, such as {@code tq2_0}; {@code none} if none are stored. */
    public String quantization() {
        Map<ElementType, Long> weights =
                stored.stream().collect(Collectors.groupingBy(Stored::type, Collectors.summingLong(Stored::weights)));
        return weights.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(most -> most.getKey() == ElementType.U8
                        ? "packed_trits"
                        : most.getKey().name().toLowerCase(Locale.ROOT))
                .orElse("none");
    }

    /** Returns the fraction of all ternary weights that are zero; 0 if there are none. */
    public double zeroFraction() {
        long weights = ternary.stream().mapToLong(Ternary::weights).sum();
        long zeros = ternary.stream().mapToLong(Ternary::zeros).sum();
        return weights == 0 ? 0 : (double) zeros / weights;
    }
}
