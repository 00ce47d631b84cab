package org.setun.architecture;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.setun.architecture.CanonicalTensor.Embedding;
import org.setun.architecture.CanonicalTensor.Experts;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.architecture.CanonicalTensor.Values;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.SafetensorsWriter;
import org.setun.checkpoint.SafetensorsWriter.Declaration;
import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/** The tensors of a checkpoint as they will be stored: packed, and written row by row. */
final class PackedTensors {

    /** Writes one tensor's bytes. */
    @FunctionalInterface
    private interface Content {
        void write(SafetensorsWriter writer) throws CheckpointFormatException, IOException;
    }

    /** A tensor to be written. */
    private record Entry(Declaration declaration, Content content) {}

    private final ModelSpec spec;
    private final WeightSource source;
    private final ConvertOptions options;
    private final List<Entry> entries = new ArrayList<>();

    private PackedTensors(ModelSpec spec, WeightSource source, ConvertOptions options) {
        this.spec = spec;
        this.source = source;
        this.options = options;
    }

    /**
     * Plans how the model of {@code recipe} will be stored.
     *
     * @throws CheckpointFormatException if a matrix does not fit the packing
     */
    static PackedTensors of(Recipe recipe, TensorReader reader, ConvertOptions options)
            throws CheckpointFormatException {
        ModelSpec spec = packed(recipe.spec(), options.packing());
        PackedTensors tensors = new PackedTensors(spec, recipe.weights(reader), options);
        // The source is asked with its own storage, and the answer stored with the packing.
        for (CanonicalTensor tensor : CanonicalTensors.of(recipe.spec()).values()) {
            switch (tensor) {
                case Values values -> tensors.addValues(values);
                case Embedding embedding -> tensors.addMatrix(embedding.name(), embedding.rows(), embedding.columns());
                case Linear linear -> {
                    if (linear.storage() == LinearStorage.FLOAT) {
                        tensors.addMatrix(linear.weightName(), linear.rows(), linear.columns());
                    } else {
                        tensors.addTrits(linear, reader.checkpoint().location());
                    }
                }
                case Experts experts -> {
                    if (experts.storage() == LinearStorage.FLOAT) {
                        tensors.addMatrix(experts.weightName(), experts.rows(), experts.columns());
                    } else {
                        tensors.addExperts(experts, reader.checkpoint().location());
                    }
                }
            }
        }
        // The order of the usual library: wider types first, so that every tensor is aligned.
        tensors.entries.sort(
                Comparator.comparing((Entry entry) -> entry.declaration.type().bytes(), Comparator.reverseOrder())
                        .thenComparing(entry -> entry.declaration.name()));
        return tensors;
    }

    private static ModelSpec packed(ModelSpec spec, TernaryPacking packing) {
        HeadSpec head = spec.head() instanceof HeadSpec.Own own
                ? new HeadSpec.Own(own.storage().packed(packing))
                : spec.head();
        boolean anyExperts = spec.layers().stream().anyMatch(layer -> layer.channel() instanceof ChannelSpec.Peer);
        List<LayerSpec> layers = spec.layers().stream()
                .map(layer -> new LayerSpec(
                        layer.mixer(),
                        layer.channel(),
                        layer.sparsity(),
                        new LayerSpec.Storage(
                                layer.storage().linear().packed(packing),
                                anyExperts
                                        ? layer.storage().experts().packedExperts(packing)
                                        : layer.storage().experts().packed(packing),
                                layer.storage().floatLinears())))
                .toList();
        return new ModelSpec(
                spec.vocabSize(),
                spec.hiddenSize(),
                spec.maxPositions(),
                spec.normEpsilon(),
                spec.tokens(),
                spec.inputNormEpsilon(),
                head,
                layers);
    }

    /** Returns what the written configuration describes. */
    ModelSpec spec() {
        return spec;
    }

    /** Returns the tensors in the order in which they will be written. */
    List<Declaration> declarations() {
        return entries.stream().map(Entry::declaration).toList();
    }

    /** Writes all tensors that an earlier writer has not written. */
    void write(SafetensorsWriter writer, LoadProgress progress) throws CheckpointFormatException, IOException {
        long total = declarations().stream().mapToLong(Declaration::bytes).sum();
        long done = 0;
        int complete = writer.completeTensors();
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            if (i >= complete) {
                entry.content.write(writer);
            }
            done += entry.declaration.bytes();
            progress.update(entry.declaration.name(), done, total);
        }
    }

    private void addValues(Values values) throws CheckpointFormatException {
        // Whether they are there is found out before anything is written.
        source.values(values.name(), values.shape());
        ElementType type =
                values.computed() ? ElementType.F32 : options.floatType().orElse(ElementType.F32);
        add(
                values.name(),
                type,
                values.shape(),
                writer -> writer.write(
                        values.name(), FloatEncoder.encode(source.values(values.name(), values.shape()), type)));
    }

    private void addMatrix(String name, int rows, int columns) throws CheckpointFormatException {
        FloatSource matrix = source.matrix(name, rows, columns);
        ElementType type = options.floatType().orElse(matrix.type());
        add(name, type, Shape.of(rows, columns), writer -> {
            float[] row = new float[columns];
            for (int r = 0; r < rows; r++) {
                matrix.readRow(r, row, 0);
                writer.write(name, FloatEncoder.encode(row, type));
            }
        });
    }

    private void addTrits(Linear linear, String location) throws CheckpointFormatException {
        int rows = linear.rows();
        int columns = linear.columns();
        Shape shape = packedShape(options.packing(), linear.weightName(), linear.rows(), linear.columns(), location);
        TritScales scales = source.ternary(linear).scales();
        float[] values = switch (scales) {
            case TritScales.Uniform uniform -> new float[] {uniform.value()};
            case TritScales.Blocks blocks -> blocks.byRow(rows);
        };
        add(
                linear.scaleName(),
                ElementType.F32,
                scales instanceof TritScales.Blocks blocks
                        ? Shape.of(rows, columns / blocks.blockColumns())
                        : Shape.of(1),
                writer -> writer.write(linear.scaleName(), values));
        add(linear.weightName(), ElementType.U8, shape, writer -> writeTrits(linear, shape, writer));
    }

    private static Shape packedShape(TernaryPacking packing, String name, int rows, int columns, String location)
            throws CheckpointFormatException {
        if (!packing.canPack(rows, columns)) {
            throw CheckpointFormatException.invalid(
                    location + ": tensor " + name,
                    "a matrix [" + rows + ", " + columns + "] cannot be stored as " + packing.configName(),
                    "choose the packing " + TernaryPacking.B3.configName() + ", which fits every matrix");
        }
        return packing.packedShape(rows, columns);
    }

    private void addExperts(Experts experts, String location) throws CheckpointFormatException {
        TernaryPacking packing =
                experts.storage().packedExperts(options.packing()).packing().orElseThrow();
        Shape shape = packedShape(packing, experts.weightName(), experts.rows(), experts.columns(), location);
        ExpertSource rows = source.experts(experts);
        add(experts.scaleName(), ElementType.F32, Shape.of(experts.rows()), writer -> {
            for (int row = 0; row < experts.rows(); row++) {
                writer.write(experts.scaleName(), new float[] {rows.scale(row)});
            }
        });
        add(experts.weightName(), ElementType.U8, shape, writer -> {
            byte[] trits = new byte[experts.columns()];
            byte[] bytes = new byte[Math.toIntExact(shape.dimension(1))];
            for (int row = 0; row < experts.rows(); row++) {
                rows.readRow(row, trits, 0);
                packing.packRow(trits, trits.length, bytes, 0);
                writer.write(experts.weightName(), bytes);
            }
        });
    }

    private void writeTrits(Linear linear, Shape shape, SafetensorsWriter writer)
            throws CheckpointFormatException, IOException {
        TernaryPacking packing = options.packing();
        TernarySource source = this.source.ternary(linear);
        int columns = linear.columns();
        byte[] trits = new byte[packing.rowsPerPackedRow() * columns];
        byte[] bytes = new byte[Math.toIntExact(shape.dimension(1))];
        for (int packedRow = 0; packedRow < shape.dimension(0); packedRow++) {
            for (int index = 0; index < packing.rowsPerPackedRow(); index++) {
                source.readRow(packing.sourceRow(linear.rows(), packedRow, index), trits, index * columns);
            }
            packing.packRow(trits, columns, bytes, 0);
            writer.write(linear.weightName(), bytes);
        }
    }

    private void add(String name, ElementType type, Shape shape, Content content) {
        entries.add(new Entry(new Declaration(name, type, shape), content));
    }
}
