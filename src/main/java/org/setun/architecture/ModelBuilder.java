package org.setun.architecture;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.Kernels;
import org.setun.model.Attention;
import org.setun.model.BitLinear;
import org.setun.model.Block;
import org.setun.model.BlockScaledLinear;
import org.setun.model.ChannelMixer;
import org.setun.model.Experts;
import org.setun.model.FloatExperts;
import org.setun.model.FloatLinear;
import org.setun.model.GatedMlp;
import org.setun.model.Linear;
import org.setun.model.Mlgru;
import org.setun.model.ModelDimensions;
import org.setun.model.Peer;
import org.setun.model.ProductKeys;
import org.setun.model.QueryNorm;
import org.setun.model.RmsNorm;
import org.setun.model.Rope;
import org.setun.model.ShortConvolution;
import org.setun.model.Sparsity;
import org.setun.model.TernaryExperts;
import org.setun.model.TernaryModel;
import org.setun.model.TokenMixer;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.PanelMatrix;
import org.setun.tensor.TernaryColumns;
import org.setun.tensor.TernaryMatrix;
import org.setun.tensor.TernaryTable;

/** Puts a model together from what its configuration describes and the weights of any family. */
final class ModelBuilder {

    /** Rows that share cache lines in every layout of ternary weights. */
    private static final int PACKED_ROWS = 64;

    private final ModelSpec spec;
    private final Map<String, CanonicalTensor> tensors;
    private final WeightSource source;
    private final Kernels kernels;
    private final LoadOptions options;
    private final FloatMatrices floatMatrices;
    private final double maxActivationSparsity;
    private final Arena arena;
    private final TensorListener listener;
    private final ReportBuilder report;

    /** One for all layers that turn alike, so that a step computes the turns once. */
    private final Map<RotaryHead, Rope> ropes = new HashMap<>();

    /** What the turns of a head depend on. */
    private record RotaryHead(RopeSpec rope, int dim) {}

    /** Hears of every tensor that is in memory. */
    @FunctionalInterface
    interface TensorListener {
        void loaded(String tensor);
    }

    /**
     * Creates a builder.
     *
     * @param source the weights
     * @param kernels whose workers repack the weights, and which the model then runs on
     * @param options how they are to be kept
     * @param arena receives the weights, and becomes the model's
     */
    ModelBuilder(
            ModelSpec spec,
            WeightSource source,
            Kernels kernels,
            LoadOptions options,
            Arena arena,
            TensorListener listener) {
        this.spec = spec;
        this.tensors = CanonicalTensors.of(spec);
        this.source = source;
        this.kernels = kernels;
        this.report = new ReportBuilder(kernels.layout());
        this.options = options;
        this.floatMatrices = new FloatMatrices(spec, source, kernels.workers(), options.head(), arena, report);
        this.maxActivationSparsity = options.limit(spec);
        this.arena = arena;
        this.listener = listener;
    }

    /** Returns what has been built so far. */
    ReportBuilder report() {
        return report;
    }

    /**
     * Reads all weights and returns the model.
     *
     * @throws IOException if a matrix that stays in its file cannot be mapped
     */
    TernaryModel build() throws CheckpointFormatException, IOException {
        FloatMatrix embedding = floats(CanonicalTensors.EMBEDDING, spec.vocabSize(), spec.hiddenSize());
        List<Block> blocks = new ArrayList<>();
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            blocks.add(block(CanonicalTensors.layerPrefix(layer), spec.layers().get(layer)));
        }
        RmsNorm finalNorm = norm(CanonicalTensors.FINAL_NORM, spec.normEpsilon());
        Linear head = switch (spec.head()) {
            case HeadSpec.Tied tied -> new FloatLinear(embedding, null);
            case HeadSpec.Own own -> linear(CanonicalTensors.HEAD);
        };
        ModelDimensions dimensions = new ModelDimensions(spec.vocabSize(), spec.hiddenSize(), spec.maxPositions());
        return new TernaryModel(dimensions, embedding, blocks, finalNorm, head, floatMatrices.screen(), kernels, arena);
    }

    private Block block(String prefix, LayerSpec layer) throws CheckpointFormatException, IOException {
        RmsNorm mixerNorm = norm(prefix + "mixer_norm.weight", spec.normEpsilon());
        TokenMixer mixer = switch (layer.mixer()) {
            case MixerSpec.Mlgru mlgru -> mlgru(prefix + "mixer.", mlgru);
            case MixerSpec.Attention attention -> attention(prefix + "mixer.", attention);
        };
        RmsNorm channelNorm = norm(prefix + "channel_norm.weight", spec.normEpsilon());
        ChannelMixer channel = switch (layer.channel()) {
            case ChannelSpec.Glu glu -> gatedMlp(prefix + "channel.", glu);
            case ChannelSpec.Peer peer -> peer(prefix + "channel.", peer, sparsity(layer.sparsity()));
        };
        return new Block(mixerNorm, mixer, channelNorm, channel);
    }

    private Mlgru mlgru(String prefix, MixerSpec.Mlgru mlgru) throws CheckpointFormatException, IOException {
        return new Mlgru(
                linear(prefix + "i_proj"),
                linear(prefix + "f_proj"),
                linear(prefix + "g_proj"),
                linear(prefix + "o_proj"),
                norm(prefix + "g_norm.weight", spec.normEpsilon()),
                mlgru.lowerBound() ? values(prefix + "lower_bound") : new float[mlgru.width(spec.hiddenSize())],
                convolution(prefix, mlgru));
    }

    private Attention attention(String prefix, MixerSpec.Attention attention)
            throws CheckpointFormatException, IOException {
        return new Attention(
                linear(prefix + "q_proj"),
                linear(prefix + "k_proj"),
                linear(prefix + "v_proj"),
                linear(prefix + "o_proj"),
                attention.subNorm() ? norm(prefix + "sub_norm.weight", spec.normEpsilon()) : null,
                new Attention.Heads(attention.numHeads(), attention.numKvHeads(), attention.headDim()),
                ropes.computeIfAbsent(
                        new RotaryHead(attention.rope(), attention.headDim()),
                        head -> RopeFrequencies.of(head.rope(), head.dim())),
                options.keyValues());
    }

    private @Nullable ShortConvolution convolution(String prefix, MixerSpec.Mlgru mlgru)
            throws CheckpointFormatException {
        if (mlgru.convolution().isEmpty()) {
            return null;
        }
        MixerSpec.Convolution convolution = mlgru.convolution().get();
        return convolution.shared()
                ? new ShortConvolution.Shared(convolution.size(), values(prefix + "conv.weight"))
                : new ShortConvolution.Separate(
                        convolution.size(), values(prefix + "i_conv.weight"), values(prefix + "f_conv.weight"));
    }

    private GatedMlp gatedMlp(String prefix, ChannelSpec.Glu glu) throws CheckpointFormatException, IOException {
        return new GatedMlp(
                linear(prefix + "gate_proj"),
                linear(prefix + "up_proj"),
                glu.activation(),
                glu.subNorm() ? norm(prefix + "sub_norm.weight", spec.normEpsilon()) : null,
                linear(prefix + "down_proj"));
    }

    private Peer peer(String prefix, ChannelSpec.Peer peer, Sparsity sparsity)
            throws CheckpointFormatException, IOException {
        return new Peer(
                linear(prefix + "query_proj"),
                peer.numHeads(),
                queryNorm(prefix + "query_norm", peer.queryNorm()),
                productKeys(prefix + "sub_keys", peer),
                peer.topK(),
                peer.score(),
                peer.activation(),
                experts(prefix, sparsity));
    }

    private QueryNorm queryNorm(String name, ChannelSpec.QueryNorm queryNorm) throws CheckpointFormatException {
        return switch (queryNorm) {
            case NONE -> new QueryNorm.None();
            case AFFINE -> affine(name);
            case LAYER -> new QueryNorm.Layer(affine(name), (float) spec.normEpsilon());
        };
    }

    private QueryNorm.Affine affine(String name) throws CheckpointFormatException {
        return new QueryNorm.Affine(values(name + ".weight"), values(name + ".bias"));
    }

    private ProductKeys productKeys(String name, ChannelSpec.Peer peer) throws CheckpointFormatException {
        float[] values = values(name);
        List<ProductKeys.Pair> pairs = new ArrayList<>();
        int half = peer.sideLength() * peer.keyDim();
        for (int offset = 0; offset < values.length; offset += 2 * half) {
            pairs.add(new ProductKeys.Pair(
                    new PanelMatrix(peer.sideLength(), peer.keyDim(), values, offset, arena),
                    new PanelMatrix(peer.sideLength(), peer.keyDim(), values, offset + half, arena)));
        }
        return new ProductKeys(pairs);
    }

    private Experts experts(String prefix, Sparsity sparsity) throws CheckpointFormatException, IOException {
        CanonicalTensor.Experts down = tensor(prefix + "down", CanonicalTensor.Experts.class);
        CanonicalTensor.Experts up = tensor(prefix + "up", CanonicalTensor.Experts.class);
        return down.storage() == LinearStorage.FLOAT
                ? new FloatExperts(
                        floats(down.weightName(), down.rows(), down.columns()),
                        floats(up.weightName(), up.rows(), up.columns()))
                : new TernaryExperts(pack(down), pack(up), sparsity);
    }

    private Linear linear(String name) throws CheckpointFormatException, IOException {
        CanonicalTensor.Linear linear = tensor(name, CanonicalTensor.Linear.class);
        RmsNorm inputNorm = inputNorm(name);
        return linear.storage() == LinearStorage.FLOAT
                ? new FloatLinear(floats(linear.weightName(), linear.rows(), linear.columns()), inputNorm)
                : ternaryLinear(linear, inputNorm);
    }

    private @Nullable RmsNorm inputNorm(String linear) throws CheckpointFormatException {
        String name = CanonicalTensors.inputNorm(linear);
        return tensors.containsKey(name) ? norm(name, spec.inputNormEpsilon().orElseThrow()) : null;
    }

    private RmsNorm norm(String name, double epsilon) throws CheckpointFormatException {
        return new RmsNorm(values(name), (float) epsilon);
    }

    private float[] values(String name) throws CheckpointFormatException {
        float[] values =
                source.values(name, tensor(name, CanonicalTensor.Values.class).shape());
        report.addValues(values.length);
        listener.loaded(name);
        return values;
    }

    private FloatMatrix floats(String name, int rows, int columns) throws CheckpointFormatException, IOException {
        FloatMatrix matrix = floatMatrices.load(name, rows, columns);
        listener.loaded(name);
        return matrix;
    }

    private Linear ternaryLinear(CanonicalTensor.Linear linear, @Nullable RmsNorm inputNorm)
            throws CheckpointFormatException {
        TernarySource trits = source.ternary(linear);
        Linear built = switch (trits.scales()) {
            case TritScales.Uniform uniform -> {
                TernaryMatrix matrix =
                        pack(linear, trits, linear.columns(), uniform.value()).getFirst();
                report.addTernary(linear.name(), List.of(matrix));
                Sparsity sparsity =
                        linear.sparsity().map(ModelBuilder::sparsity).orElseGet(Sparsity.Dense::new);
                boolean byColumnsToo = linear.keptByColumns(maxActivationSparsity);
                yield new BitLinear(matrix, inputNorm, sparsity, byColumnsToo ? columns(matrix) : null);
            }
            case TritScales.Blocks blocks -> {
                List<TernaryMatrix> matrices = pack(linear, trits, blocks.blockColumns(), 1);
                report.addTernary(linear.name(), matrices);
                report.addValues(blocks.values().length);
                yield new BlockScaledLinear(matrices, blocks.values(), inputNorm);
            }
        };
        listener.loaded(linear.name());
        return built;
    }

    private static Sparsity sparsity(SparsitySpec spec) {
        return switch (spec) {
            case SparsitySpec.Dense dense -> new Sparsity.Dense();
            case SparsitySpec.TopK topK -> new Sparsity.TopK(topK.ratio());
            case SparsitySpec.BlockTopK block -> new Sparsity.BlockTopK(block.n(), block.m());
        };
    }

    private TernaryColumns columns(TernaryMatrix weights) {
        int rows = weights.rows();
        TernaryColumns.Builder builder = new TernaryColumns.Builder(rows, weights.columns(), arena);
        kernels.workers().forRange(rows, TernaryColumns.ROW_BLOCK, (from, to) -> builder.setRows(0, weights, from, to));
        report.addColumns(rows, weights.columns());
        return builder.build();
    }

    /**
     * Repacks trits, so that no more than a few rows of each thread are held unpacked, into one matrix for each run of
     * {@code blockColumns} columns.
     */
    private List<TernaryMatrix> pack(CanonicalTensor.Linear linear, TernarySource trits, int blockColumns, float scale)
            throws CheckpointFormatException {
        int columns = linear.columns();
        List<TernaryMatrix.Builder> builders = new ArrayList<>();
        for (int column = 0; column < columns; column += blockColumns) {
            builders.add(kernels.layout().builder(linear.rows(), blockColumns, arena));
        }
        RowLoop.run(kernels.workers(), linear.rows(), PACKED_ROWS, (from, to) -> {
            byte[] rows = new byte[PACKED_ROWS * columns + Long.BYTES];
            for (int first = from; first < to; first += PACKED_ROWS) {
                int count = Math.min(PACKED_ROWS, to - first);
                for (int i = 0; i < count; i++) {
                    trits.readRow(first + i, rows, i * columns);
                }
                for (int block = 0; block < builders.size(); block++) {
                    builders.get(block).setRows(first, count, rows, block * blockColumns, columns);
                }
            }
        });
        return builders.stream().map(builder -> builder.build(scale)).toList();
    }

    /** Repacks the rows of experts, as linears are. */
    private TernaryTable pack(CanonicalTensor.Experts experts) throws CheckpointFormatException {
        int columns = experts.columns();
        ExpertSource rows = source.experts(experts);
        TernaryTable.Builder builder = new TernaryTable.Builder(experts.rows(), columns, arena);
        RowLoop.run(kernels.workers(), experts.rows(), 1, (from, to) -> {
            byte[] row = new byte[columns];
            for (int r = from; r < to; r++) {
                float scale = rows.readRow(r, row, 0);
                builder.setRow(r, row, 0, scale);
            }
        });
        TernaryTable table = builder.build();
        report.addExperts(
                new ModelReport.Ternary(experts.name(), experts.rows(), columns, table.zeros(), table.negatives()));
        listener.loaded(experts.name());
        return table;
    }

    private <T extends CanonicalTensor> T tensor(String name, Class<T> type) {
        CanonicalTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException("the model has no tensor " + name);
        }
        return type.cast(tensor);
    }
}
