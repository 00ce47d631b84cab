package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.setun.kernel.Activation;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.PassCounts.Place;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.PanelMatrix;
import org.setun.tensor.TernaryMatrix;

/** Layers that no checkpoint in the tree has are counted as well. */
final class PassCounterTest {

    private final SplittableRandom random = new SplittableRandom(20261128);

    @Test
    void productsOfScaledRunsAreRescaledAndAddedRunByRun() {
        int rows = 33;
        int runColumns = 64;
        int runs = 3;
        int columns = runs * runColumns;
        int tokens = 4;
        byte[][] trits = new byte[rows][columns];
        long nonZeroWeights = 0;
        for (byte[] row : trits) {
            for (int column = 0; column < columns; column++) {
                row[column] = (byte) (random.nextInt(3) - 1);
                nonZeroWeights += row[column] == 0 ? 0 : 1;
            }
        }
        Kernels kernels = KernelSelection.select("auto", 1);
        try (Arena arena = Arena.ofShared()) {
            List<TernaryMatrix> matrices = new ArrayList<>();
            for (int run = 0; run < runs; run++) {
                TernaryMatrix.Builder builder = kernels.layout().builder(rows, runColumns, arena);
                for (int row = 0; row < rows; row++) {
                    builder.setRow(row, trits[row], run * runColumns);
                }
                matrices.add(builder.build(1));
            }
            Linear linear = new BlockScaledLinear(matrices, floats(runs * rows), null);
            PassCounter counter = counter(Site.CHANNEL_IN);
            LinearInput input = new LinearInput(tokens, columns, counter);
            counter.begin(batch(3, 1));
            counter.layer(0);
            counter.at(Site.CHANNEL_IN);
            float[] x = floats(tokens * columns);
            linear.prepare(x, tokens, input, kernels);
            linear.multiply(input, new int[tokens * rows], new float[tokens * rows], kernels);
            counter.publish();

            long zeros = 0;
            for (int token = 0; token < tokens; token++) {
                float absmax = 0;
                for (int column = 0; column < columns; column++) {
                    absmax = Math.max(absmax, Math.abs(x[token * columns + column]));
                }
                for (int column = 0; column < columns; column++) {
                    zeros += Math.rint(x[token * columns + column] * (127 / absmax)) == 0 ? 1 : 0;
                }
            }
            long nonZeros = (long) tokens * columns - zeros;
            long perCode = Math.round((double) nonZeroWeights / columns);
            assertThat(counts(counter.total()))
                    .containsExactly(
                            (long) tokens * columns,
                            zeros,
                            linear.weightBytes(),
                            linear.weightBytes(),
                            (long) tokens * rows * columns,
                            nonZeros * perCode + (long) tokens * rows * (runs - 1),
                            (long) tokens * rows * runs);
        } finally {
            kernels.workers().close();
        }
    }

    @Test
    void expertsOfFloatsMultiplyWhatIsRetrieved() {
        int side = 6;
        int keyDim = 4;
        int width = 64;
        int heads = 2;
        int topK = 3;
        int tokens = 5;
        Kernels kernels = KernelSelection.select("auto", 1);
        try (Arena arena = Arena.ofShared()) {
            byte[][] query = new byte[heads * 2 * keyDim][width];
            for (byte[] row : query) {
                for (int column = 0; column < width; column++) {
                    row[column] = (byte) (random.nextInt(3) - 1);
                }
            }
            ProductKeys keys = new ProductKeys(List.of(new ProductKeys.Pair(
                    new PanelMatrix(side, keyDim, floats(side * keyDim), 0, arena),
                    new PanelMatrix(side, keyDim, floats(side * keyDim), 0, arena))));
            FloatExperts experts =
                    new FloatExperts(matrix(side * side, width, arena), matrix(side * side, width, arena));
            Peer peer = new Peer(
                    new BitLinear(TernaryMatrix.of(kernels.layout(), query, 0.1f, arena), null),
                    heads,
                    new QueryNorm.None(),
                    keys,
                    topK,
                    Score.SOFTMAX,
                    Activation.GELU,
                    experts);
            RmsNorm norm = new RmsNorm(new float[width], 1e-6f);
            Linear none = peer.query();
            Block block = new Block(norm, new Mlgru(none, none, none, none, norm, new float[width], null), norm, peer);
            PassCounter counter = counter(Site.PEER_EXPERTS);
            Buffers buffers =
                    new Buffers(tokens, 1, width, width, 1, new ExpertBuffers(tokens, width, List.of(block)), counter);
            counter.begin(batch(2, 3));
            counter.layer(0);
            // Both sites are counted in the same place here; the first alone has codes and ternary weights.
            peer.forward(floats(tokens * width), tokens, new float[tokens * width], buffers, kernels);
            counter.publish();

            Retrieval retrieval = buffers.experts().retrieval(peer);
            long distinct = Arrays.stream(retrieval.experts(), 0, tokens * heads * topK)
                    .distinct()
                    .count();
            long queryOps = (long) tokens * query.length * width;
            long keyOps = (long) tokens * heads * 2 * side * keyDim;
            long done = 2L * tokens * heads * topK * width;
            List<Long> found = counts(counter.total());
            assertThat(found.get(2))
                    .isEqualTo(peer.query().weightBytes()
                            + keys.weightBytes()
                            + (long) side * side * experts.weightBytes());
            assertThat(found.get(3))
                    .isEqualTo(peer.query().weightBytes() + keys.weightBytes() + distinct * experts.weightBytes());
            assertThat(found.get(4)).isEqualTo(queryOps + keyOps + 2L * tokens * side * side * width);
            assertThat(found.get(6)).isEqualTo((long) tokens * query.length + keyOps + done);
        } finally {
            kernels.workers().close();
        }
    }

    private static List<Long> counts(PassCounts counts) {
        return Arrays.stream(Measure.values())
                .map(measure -> counts.count(0, measure))
                .toList();
    }

    /** Returns a counter of one layer with one place. */
    private static PassCounter counter(Site site) {
        return new PassCounter(List.of(new Place(0, site)), 1);
    }

    /** Returns a batch of chunks of so many tokens. */
    private static Batch batch(int... sizes) {
        SequenceState state = SequenceState.allocate(new StateLayout(64, 32, 0), 1, Arena.global());
        return new Batch(Arrays.stream(sizes)
                .mapToObj(size -> new Chunk(state, 0, new int[size], Chunk.Wanted.NONE))
                .toList());
    }

    private FloatMatrix matrix(int rows, int columns, Arena arena) {
        MemorySegment segment = arena.allocate((long) rows * columns * Float.BYTES, Float.BYTES);
        for (long i = 0; i < (long) rows * columns; i++) {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return new FloatMatrix(rows, columns, ElementType.F32, segment);
    }

    private float[] floats(int size) {
        float[] floats = new float[size];
        for (int i = 0; i < size; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
