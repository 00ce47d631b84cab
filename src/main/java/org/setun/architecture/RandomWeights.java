package org.setun.architecture;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.checkpoint.StoredTensor;
import org.setun.kernel.WorkerPool;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/**
 * Weights of no meaning, for models whose speed alone matters: trits of which a third are zero, norms near 1, lower bounds below
 * 1 and small embeddings, scaled so that activations and logits stay as large as a trained model's. They depend on the seed
 * alone, not on the number of threads. Knows the tensors of recurrences, attention and gated MLPs. Float matrices are valid
 * until this is closed.
 */
final class RandomWeights implements WeightSource, AutoCloseable {

    private static final ValueLayout.OfShort BFLOAT16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** How many random numbers a matrix is made of: rows begin at random places among them. None is longer than the half. */
    private static final int SUPPLY = 1 << 21;

    private static final long SUPPLY_SEED = 1974;
    private static final int BYTE_MASK = (1 << Byte.SIZE) - 1;

    private static final float LEAST_NORM = 0.8f;
    private static final float GREATEST_NORM = 1.2f;
    private static final float GREATEST_LOWER_BOUND = 0.95f;

    private final int layers;
    private final long seed;
    private final WorkerPool workers;
    private final Arena arena = Arena.ofShared();

    /**
     * Creates the weights of a model.
     *
     * @param layers how many it has
     * @param workers share the making of large matrices; those of the trits are the reader's
     */
    RandomWeights(int layers, long seed, WorkerPool workers) {
        this.layers = layers;
        this.seed = seed;
        this.workers = workers;
    }

    @Override
    public float[] values(String name, Shape shape) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        if (name.endsWith(".lower_bound")) {
            // Trained models have none in the first layer.
            if (!name.equals(CanonicalTensors.lowerBound(0))) {
                fill(values, name, 0, GREATEST_LOWER_BOUND);
            }
        } else {
            fill(values, name, LEAST_NORM, GREATEST_NORM);
        }
        return values;
    }

    private void fill(float[] values, String name, float from, float to) {
        SplittableRandom random = new SplittableRandom(seedOf(name));
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(from, to);
        }
    }

    @Override
    public FloatSource matrix(String name, int rows, int columns) {
        long rowBytes = (long) columns * ElementType.BF16.bytes();
        MemorySegment bytes = arena.allocate(rows * rowBytes, Long.BYTES);
        // A uniform distribution of variance 1 / columns.
        float unit = (float) Math.sqrt(3.0 / columns) / -Short.MIN_VALUE;
        short[] supply = new short[SUPPLY];
        SplittableRandom numbers = new SplittableRandom(seedOf(name));
        for (int i = 0; i < SUPPLY; i++) {
            supply[i] = (short) (Float.floatToRawIntBits(unit * (short) numbers.nextInt()) >>> Short.SIZE);
        }
        workers.forRange(rows, 1, (from, to) -> {
            for (int row = from; row < to; row++) {
                int first = new SplittableRandom(seedOf(name) + row).nextInt(SUPPLY - columns);
                MemorySegment.copy(supply, first, bytes, BFLOAT16, row * rowBytes, columns);
            }
        });
        return new FloatSource(
                new StoredTensor("random weights", name, ElementType.BF16, Shape.of(rows, columns), bytes));
    }

    @Override
    public TernarySource ternary(Linear linear) {
        // With two thirds of the weights not zero, outputs are as large as inputs; those that are added to the residual
        // stream are so much smaller that all layers together are as large as one.
        boolean added = linear.name().endsWith(".o_proj") || linear.name().endsWith(".down_proj");
        double gain = added ? 1 / Math.sqrt(2.0 * layers) : 1;
        float scale = (float) (gain / Math.sqrt(linear.columns() * 2.0 / 3));
        return new RandomTrits(seedOf(linear.name()), linear.columns(), new TritScales.Uniform(scale));
    }

    private long seedOf(String name) {
        return seed + ((long) name.hashCode() << Integer.SIZE);
    }

    @Override
    public void close() {
        arena.close();
    }

    /** Random rows of trits, each from a place of its own in a supply of them. */
    private record RandomTrits(long seed, int columns, TritScales scales) implements TernarySource {

        private static final byte[] TRITS = trits();

        private static byte[] trits() {
            byte[] trits = new byte[SUPPLY];
            new SplittableRandom(SUPPLY_SEED).nextBytes(trits);
            for (int i = 0; i < SUPPLY; i++) {
                trits[i] = (byte) ((((trits[i] & BYTE_MASK) * 3) >>> Byte.SIZE) - 1);
            }
            return trits;
        }

        @Override
        public void readRow(int row, byte[] trits, int offset) {
            int from = new SplittableRandom(seed + row).nextInt(SUPPLY - columns);
            System.arraycopy(TRITS, from, trits, offset, columns);
        }
    }
}
