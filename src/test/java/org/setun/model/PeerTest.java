package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.kernel.Activation;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.tensor.PanelMatrix;
import org.setun.tensor.TernaryMatrix;
import org.setun.tensor.TernaryTable;

/** Retrieval against a search through all experts, and a layer's independence of batch, kernel and threads. */
final class PeerTest {

    private static final long SEED = Long.getLong("setun.test.seed", 1958);
    private static final int WIDTH = 64;
    private static final int HEADS = 3;
    private static final int KEY_DIM = 8;
    private static final int TOKENS = 21;

    /** How a layer is made: side of the experts' square, experts a head, one pair of sub-keys for all heads, coarse keys. */
    record Shape(int side, int topK, boolean shared, boolean coarse) {}

    private final SplittableRandom random = new SplittableRandom(SEED);

    static Stream<Arguments> shapesKernelsAndThreads() {
        List<Shape> shapes = List.of(
                new Shape(5, 5, true, true),
                new Shape(33, 1, false, false),
                new Shape(37, 7, true, false),
                new Shape(40, 16, false, true));
        return shapes.stream()
                .flatMap(shape -> Stream.of("scalar", "auto")
                        .flatMap(kernel -> Stream.of(1, 3).map(threads -> Arguments.of(shape, kernel, threads))));
    }

    @ParameterizedTest
    @MethodSource("shapesKernelsAndThreads")
    void findsWhatASearchThroughAllExpertsFinds(Shape shape, String kernel, int threads) {
        Kernels kernels = KernelSelection.select(kernel, threads);
        try (Arena arena = Arena.ofShared()) {
            Peer peer = peer(shape, kernels, arena);
            Buffers buffers = buffers(peer);
            float[] queries = floats(TOKENS * HEADS * 2 * KEY_DIM, shape.coarse());
            Retrieval retrieval = buffers.experts().retrieval(peer);
            retrieval.begin(TOKENS);
            peer.keys().retrieve(queries, retrieval, buffers.experts(), kernels);

            int ties = 0;
            for (int token = 0; token < TOKENS; token++) {
                for (int head = 0; head < HEADS; head++) {
                    int[] best = search(peer, shape, queries, token, head);
                    for (int rank = 0; rank < shape.topK(); rank++) {
                        assertThat(retrieval.expert(token, head, rank))
                                .as("token %d, head %d, rank %d, seed %d", token, head, rank, SEED)
                                .isEqualTo(best[rank]);
                        boolean tie = rank > 0
                                && retrieval.score(token, head, rank) == retrieval.score(token, head, rank - 1);
                        ties += tie ? 1 : 0;
                    }
                }
            }
            assertThat(ties > 0)
                    .as("scores are equal only where keys are coarse")
                    .isEqualTo(shape.coarse());
        } finally {
            kernels.workers().close();
        }
    }

    /**
     * Returns all experts, best first. Of equal scores the one comes first whose first half ranks higher, then the one whose
     * second half does; of equal halves the lower index.
     */
    private static int[] search(Peer peer, Shape shape, float[] queries, int token, int head) {
        ProductKeys.Pair pair = peer.keys().pairs().get(shape.shared() ? 0 : head);
        int query = (token * HEADS + head) * 2 * KEY_DIM;
        float[] first = scores(pair.first(), queries, query);
        float[] second = scores(pair.second(), queries, query + KEY_DIM);
        List<int[]> experts = new ArrayList<>();
        for (int i : ranking(first)) {
            for (int j : ranking(second)) {
                experts.add(new int[] {i, j});
            }
        }
        // A stable sort keeps the order of equal sums.
        experts.sort(Comparator.comparing(
                (int[] halves) -> first[halves[0]] + second[halves[1]], Comparator.reverseOrder()));
        return experts.stream()
                .mapToInt(halves -> halves[0] * shape.side() + halves[1])
                .toArray();
    }

    private static float[] scores(PanelMatrix keys, float[] queries, int offset) {
        float[] scores = new float[keys.rows()];
        for (int row = 0; row < scores.length; row++) {
            for (int column = 0; column < KEY_DIM; column++) {
                scores[row] = Math.fma(keys.value(row, column), queries[offset + column], scores[row]);
            }
        }
        return scores;
    }

    private static List<Integer> ranking(float[] scores) {
        return IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> scores[i], Comparator.reverseOrder()))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("shapesKernelsAndThreads")
    void aTokenGivesTheSameBitsAloneAndInAnyBatch(Shape shape, String kernel, int threads) {
        Kernels scalar = KernelSelection.select("scalar", 1);
        Kernels kernels = KernelSelection.select(kernel, threads);
        try (Arena arena = Arena.ofShared()) {
            Peer peer = peer(shape, kernels, arena);
            float[] x = floats(TOKENS * WIDTH, false);
            // Tokens that are alike choose the same experts, whose rows are then read for both.
            System.arraycopy(x, 0, x, 9 * WIDTH, WIDTH);
            float[] alone = forward(peer, x, 1, scalar);

            for (int batch : new int[] {1, 2, 5, 8, 9, TOKENS}) {
                assertThat(forward(peer, x, batch, kernels))
                        .as("%d tokens a step, seed %d", batch, SEED)
                        .isEqualTo(alone);
            }
        } finally {
            scalar.workers().close();
            kernels.workers().close();
        }
    }

    private static float[] forward(Peer peer, float[] x, int batch, Kernels kernels) {
        Buffers buffers = buffers(peer);
        float[] result = new float[x.length];
        for (int first = 0; first < TOKENS; first += batch) {
            int tokens = Math.min(batch, TOKENS - first);
            float[] part = Arrays.copyOfRange(x, first * WIDTH, (first + tokens) * WIDTH);
            float[] out = new float[TOKENS * WIDTH];
            Arrays.fill(out, Float.NaN);
            peer.forward(part, tokens, out, buffers, kernels);
            System.arraycopy(out, 0, result, first * WIDTH, tokens * WIDTH);
        }
        return result;
    }

    private static Buffers buffers(Peer peer) {
        RmsNorm norm = new RmsNorm(new float[WIDTH], 1e-6f);
        Linear none = peer.query();
        Block block = new Block(norm, new Mlgru(none, none, none, none, norm, new float[WIDTH], null), norm, peer);
        ExpertBuffers experts = new ExpertBuffers(TOKENS, WIDTH, List.of(block));
        return new Buffers(TOKENS, 1, WIDTH, Math.max(WIDTH, HEADS * 2 * KEY_DIM), 1, experts, PassCounter.off());
    }

    private Peer peer(Shape shape, Kernels kernels, Arena arena) {
        List<ProductKeys.Pair> pairs = new ArrayList<>();
        for (int pair = 0; pair < (shape.shared() ? 1 : HEADS); pair++) {
            pairs.add(new ProductKeys.Pair(keys(shape, arena), keys(shape, arena)));
        }
        byte[][] query = new byte[HEADS * 2 * KEY_DIM][];
        Arrays.setAll(query, row -> trits());
        int experts = shape.side() * shape.side();
        return new Peer(
                new BitLinear(TernaryMatrix.of(kernels.layout(), query, 0.1f, arena), null),
                HEADS,
                new QueryNorm.None(),
                new ProductKeys(pairs),
                shape.topK(),
                Score.SOFTMAX,
                Activation.GELU,
                new TernaryExperts(table(experts, arena), table(experts, arena), new Sparsity.TopK(0.5)));
    }

    private PanelMatrix keys(Shape shape, Arena arena) {
        return new PanelMatrix(shape.side(), KEY_DIM, floats(shape.side() * KEY_DIM, shape.coarse()), 0, arena);
    }

    private TernaryTable table(int rows, Arena arena) {
        TernaryTable.Builder builder = new TernaryTable.Builder(rows, WIDTH, arena);
        for (int row = 0; row < rows; row++) {
            builder.setRow(row, trits(), 0, (float) random.nextDouble(0.5, 1.5));
        }
        return builder.build();
    }

    private byte[] trits() {
        byte[] trits = new byte[WIDTH];
        for (int column = 0; column < WIDTH; column++) {
            trits[column] = (byte) (random.nextInt(3) - 1);
        }
        return trits;
    }

    /** Returns random numbers; coarse ones are -1, 0 and 1, so that many sums of them are equal. */
    private float[] floats(int size, boolean coarse) {
        float[] floats = new float[size];
        for (int i = 0; i < size; i++) {
            floats[i] = coarse ? random.nextInt(3) - 1 : (float) random.nextGaussian();
        }
        return floats;
    }
}
