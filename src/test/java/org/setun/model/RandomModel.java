package org.setun.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.Activation;
import org.setun.kernel.Kernels;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.ScreenMatrix;
import org.setun.tensor.TernaryColumns;
import org.setun.tensor.TernaryMatrix;

/** Makes MatMul-free models of any shape with random weights whose activations stay in a sane range. */
public final class RandomModel {

    private static final float EPSILON = 1e-6f;

    private final Shape shape;
    private final Sparsity sparsity;
    private final boolean byColumns;
    private boolean screened;
    private final SplittableRandom random;
    private final Kernels kernels;
    private final Arena arena = Arena.ofShared();

    /** Where a short convolution stands, if anywhere. */
    public enum Convolution {
        NONE,
        SHARED,
        SEPARATE
    }

    /**
     * The sizes of a model.
     *
     * @param vocabSize token ids
     * @param hiddenSize width of the residual stream
     * @param width channels of the recurrence
     * @param intermediateSize width of the gated MLP
     * @param layers number of blocks
     * @param convolution where a short convolution stands
     * @param tied whether the head is the float embedding
     * @param heads those of the attention in every second layer; null for a model of recurrences alone
     */
    public record Shape(
            int vocabSize,
            int hiddenSize,
            int width,
            int intermediateSize,
            int layers,
            Convolution convolution,
            boolean tied,
            Attention.@Nullable Heads heads) {

        /** MMfreeLM 370M. */
        public static final Shape MMFREE_370M = new Shape(32000, 1024, 1024, 2816, 24, Convolution.NONE, false, null);
    }

    private RandomModel(Shape shape, Sparsity sparsity, boolean byColumns, long seed, Kernels kernels) {
        this.kernels = kernels;
        this.shape = shape;
        this.sparsity = sparsity;
        this.byColumns = byColumns;
        this.random = new SplittableRandom(seed);
    }

    /** Makes a model; the caller closes it. */
    public static TernaryModel of(Shape shape, long seed, Kernels kernels) {
        return of(shape, new Sparsity.Dense(), false, seed, kernels);
    }

    /**
     * Makes a model whose layers have sparse activations; the caller closes it. Its weights depend on shape and seed alone.
     *
     * @param byColumns whether the layers keep their weights by columns as well
     */
    public static TernaryModel of(Shape shape, Sparsity sparsity, boolean byColumns, long seed, Kernels kernels) {
        return new RandomModel(shape, sparsity, byColumns, seed, kernels).build();
    }

    /** Makes a model with dense layers whose head, that of the embedding, is screened; the caller closes it. */
    public static TernaryModel screened(Shape shape, long seed, Kernels kernels) {
        RandomModel model = new RandomModel(shape, new Sparsity.Dense(), false, seed, kernels);
        model.screened = true;
        return model.build();
    }

    private TernaryModel build() {
        FloatMatrix embedding = embedding();
        List<Block> blocks = new ArrayList<>();
        for (int layer = 0; layer < shape.layers(); layer++) {
            TokenMixer mixer = shape.heads() == null || layer % 2 == 0 ? mlgru(layer) : attention(shape.heads());
            blocks.add(new Block(norm(shape.hiddenSize()), mixer, norm(shape.hiddenSize()), gatedMlp()));
        }
        RmsNorm finalNorm = norm(shape.hiddenSize());
        Linear head = shape.tied()
                ? new FloatLinear(embedding, null)
                : new BitLinear(matrix(shape.vocabSize(), shape.hiddenSize()), norm(shape.hiddenSize()));
        ModelDimensions dimensions = new ModelDimensions(shape.vocabSize(), shape.hiddenSize(), 2048);
        return new TernaryModel(
                dimensions, embedding, blocks, finalNorm, head, screened ? screen(embedding) : null, kernels, arena);
    }

    private ScreenMatrix screen(FloatMatrix weights) {
        ScreenMatrix.Builder builder = new ScreenMatrix.Builder(weights.rows(), weights.columns(), arena);
        float[] row = new float[weights.columns()];
        for (int r = 0; r < weights.rows(); r++) {
            weights.readRow(r, row, 0);
            builder.setRow(r, row);
        }
        return builder.build();
    }

    private Mlgru mlgru(int layer) {
        int hidden = shape.hiddenSize();
        int width = shape.width();
        float[] lowerBound = new float[width];
        if (layer > 0) {
            for (int i = 0; i < width; i++) {
                lowerBound[i] = (float) random.nextDouble(0.95);
            }
        }
        int taps = 4;
        ShortConvolution convolution = switch (shape.convolution()) {
            case NONE -> null;
            case SHARED -> new ShortConvolution.Shared(taps, floats(hidden * taps, 0.5f, 0));
            case SEPARATE ->
                new ShortConvolution.Separate(taps, floats(width * taps, 0.5f, 0), floats(width * taps, 0.5f, 0));
        };
        return new Mlgru(
                linear(width, hidden, norm(hidden)),
                linear(width, hidden, norm(hidden)),
                linear(width, hidden, norm(hidden)),
                linear(hidden, width, norm(width)),
                norm(width),
                lowerBound,
                convolution);
    }

    private Attention attention(Attention.Heads heads) {
        int hidden = shape.hiddenSize();
        int queryWidth = heads.queries() * heads.width();
        int keyWidth = heads.keyValues() * heads.width();
        float[] frequencies = new float[heads.width() / 2];
        for (int j = 0; j < frequencies.length; j++) {
            frequencies[j] = (float) Math.pow(10000, -2.0 * j / heads.width());
        }
        return new Attention(
                linear(queryWidth, hidden, null),
                linear(keyWidth, hidden, null),
                linear(keyWidth, hidden, null),
                linear(hidden, queryWidth, null),
                norm(queryWidth),
                heads,
                new Rope(frequencies, 1),
                KeyValueFormat.F32);
    }

    private GatedMlp gatedMlp() {
        int hidden = shape.hiddenSize();
        int intermediate = shape.intermediateSize();
        return new GatedMlp(
                linear(intermediate, hidden, norm(hidden)),
                linear(intermediate, hidden, null),
                Activation.SILU,
                null,
                linear(hidden, intermediate, norm(intermediate)));
    }

    private BitLinear linear(int rows, int columns, @Nullable RmsNorm norm) {
        TernaryMatrix weights = matrix(rows, columns);
        return new BitLinear(weights, norm, sparsity, byColumns ? TernaryColumns.of(weights, arena) : null);
    }

    private TernaryMatrix matrix(int rows, int columns) {
        TernaryMatrix.Builder builder = kernels.layout().builder(rows, columns, arena);
        byte[] trits = new byte[columns];
        for (int row = 0; row < rows; row++) {
            random.nextBytes(trits);
            for (int column = 0; column < columns; column++) {
                trits[column] = (byte) ((trits[column] & 0xff) % 3 - 1);
            }
            builder.setRow(row, trits, 0);
        }
        return builder.build((float) Math.sqrt(1.5 / columns));
    }

    private RmsNorm norm(int width) {
        return new RmsNorm(floats(width, 0.1f, 1), EPSILON);
    }

    private FloatMatrix embedding() {
        MemorySegment segment =
                arena.allocate((long) shape.vocabSize() * shape.hiddenSize() * Float.BYTES, Float.BYTES);
        float[] row = new float[shape.hiddenSize()];
        for (int token = 0; token < shape.vocabSize(); token++) {
            fill(row, (float) Math.sqrt(1.0 / shape.hiddenSize()), 0);
            MemorySegment.copy(
                    MemorySegment.ofArray(row), 0, segment, (long) token * row.length * Float.BYTES, 4L * row.length);
        }
        return new FloatMatrix(shape.vocabSize(), shape.hiddenSize(), ElementType.F32, segment);
    }

    private float[] floats(int size, float deviation, float mean) {
        float[] values = new float[size];
        fill(values, deviation, mean);
        return values;
    }

    private void fill(float[] values, float deviation, float mean) {
        for (int i = 0; i < values.length; i++) {
            values[i] = mean + deviation * (float) random.nextGaussian();
        }
    }
}
