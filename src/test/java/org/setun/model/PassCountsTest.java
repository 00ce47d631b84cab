package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelLoader;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.PassCounts.Place;

/** What is counted is what kernels compute, element by element, in real checkpoints of all kinds; and what a sequence is told is its own. */
final class PassCountsTest {

    private static final String GOLDEN = "src/test/resources/golden/";
    private static final List<Measure> OPERATIONS =
            List.of(Measure.ELEMENTS, Measure.ZEROS, Measure.ADDITIONS, Measure.MULTIPLICATIONS);
    private static final List<Measure> OF_CHUNKS = List.of(
            Measure.ELEMENTS, Measure.ZEROS, Measure.DENSE_OPERATIONS, Measure.ADDITIONS, Measure.MULTIPLICATIONS);

    /** So few activations are left that products are computed by columns. */
    private static final double HARDLY_ANY = 0.985;

    /** A checkpoint, how its head is computed, and what sparsity the requests ask for. */
    record Case(String checkpoint, HeadMode head, double sparsity) {}

    static Stream<Case> cases() {
        return Stream.of(
                new Case(GOLDEN + "mmfree-tiny/f32", HeadMode.EXACT, 0),
                new Case(GOLDEN + "bitnet-tiny-packed", HeadMode.EXACT, 0),
                new Case(GOLDEN + "bitnet-tiny-packed", HeadMode.SCREENED, 0),
                new Case(GOLDEN + "composed-tiny/glu-topk", HeadMode.EXACT, 0),
                new Case(GOLDEN + "composed-tiny/peer", HeadMode.EXACT, 0),
                new Case(GOLDEN + "composed-tiny/peer-block-topk", HeadMode.EXACT, 0),
                new Case(GOLDEN + "composed-tiny/peer-block-topk", HeadMode.EXACT, HARDLY_ANY),
                new Case("src/main/resources/models/setun-fairy", HeadMode.SCREENED, 0),
                new Case("src/main/resources/models/setun-fairy", HeadMode.EXACT, HARDLY_ANY));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatIsCountedIsWhatKernelsCompute(Case each) throws Exception {
        WatchedKernels watched = new WatchedKernels(KernelSelection.select("auto", 1));
        try (TernaryModel model = load(each, watched.kernels());
                Arena arena = Arena.ofShared()) {
            watched.learn(model);
            Workspace workspace = model.newWorkspace(40, 40);
            Batch batch = new Batch(chunks(each, model, arena));
            model.forward(batch, workspace);

            PassCounts counts = workspace.counts();
            long attention = 0;
            for (int i = 0; i < counts.places().size(); i++) {
                Place place = counts.places().get(i);
                if (place.site() == Site.ATTENTION) {
                    attention += counts.count(i, Measure.ADDITIONS);
                    assertThat(counts.count(i, Measure.MULTIPLICATIONS)).isEqualTo(counts.count(i, Measure.ADDITIONS));
                } else if (place.site() == Site.PEER_EXPERTS) {
                    checkExperts(model, watched, counts, i);
                } else {
                    checkProducts(watched, counts, i);
                }
            }
            assertThat(attention).isEqualTo(watched.count(new Place(-2, Site.ATTENTION), Measure.ADDITIONS));
            checkBytes(model, watched, counts, batch.tokens());
            assertThat(watched.productsByColumns() > 0).isEqualTo(each.sparsity() > 0);
        }
    }

    private static void checkProducts(WatchedKernels watched, PassCounts counts, int i) {
        Place place = counts.places().get(i);
        for (Measure measure : OPERATIONS) {
            assertThat(counts.count(i, measure)).as("%s, %s", place, measure).isEqualTo(watched.count(place, measure));
        }
        long pairs = watched.pairs(place);
        if (pairs > 0) {
            // Columns have not all the same number of non-zero weights, which shows where few of them count.
            double share = (double) (counts.count(i, Measure.ELEMENTS) - counts.count(i, Measure.ZEROS))
                    / counts.count(i, Measure.ELEMENTS);
            double error = share < 0.1 ? 0.3 : 0.1;
            assertThat((double) counts.count(i, Measure.ADDITIONS) / pairs).isBetween(1 - error, 1 + error);
        }
    }

    private static void checkExperts(TernaryModel model, WatchedKernels watched, PassCounts counts, int i) {
        Place place = counts.places().get(i);
        Peer peer = (Peer) model.blocks().get(place.layer()).channel();
        assertThat(counts.count(i, Measure.MULTIPLICATIONS)).isEqualTo(watched.count(place, Measure.MULTIPLICATIONS));
        if (peer.experts() instanceof FloatExperts) {
            assertThat(counts.count(i, Measure.ELEMENTS)).isZero();
            assertThat(counts.count(i, Measure.ADDITIONS)).isEqualTo(watched.count(place, Measure.ADDITIONS));
        } else {
            assertThat(counts.count(i, Measure.ELEMENTS)).isPositive();
            assertThat(counts.count(i, Measure.ADDITIONS)).isPositive();
        }
    }

    private static void checkBytes(TernaryModel model, WatchedKernels watched, PassCounts counts, int tokens) {
        for (int i = 0; i < counts.places().size(); i++) {
            Place place = counts.places().get(i);
            long dense = 0;
            long read = 0;
            for (Linear linear : linears(model, place)) {
                dense += linear.weightBytes();
                read += switch (linear) {
                    case BitLinear bits -> readBytes(bits, watched);
                    case FloatLinear floats ->
                        floats.weightBytes()
                                / floats.outputSize()
                                * watched.readPart(floats.weights()).cardinality();
                    case BlockScaledLinear blocks -> throw new AssertionError(blocks);
                };
            }
            if (place.site() == Site.PEER_EXPERTS) {
                Peer peer = (Peer) model.blocks().get(place.layer()).channel();
                int experts = watched.readPart(
                                switch (peer.experts()) {
                                    case TernaryExperts ternary -> ternary.down();
                                    case FloatExperts floats -> floats.down();
                                })
                        .cardinality();
                dense += peer.keys().weightBytes()
                        + peer.experts().count() * peer.experts().weightBytes();
                read += peer.keys().weightBytes() + experts * peer.experts().weightBytes();
            }
            if (place.site() == Site.EMBEDDING) {
                int width = model.dimensions().hiddenSize();
                assertThat(counts.count(i, Measure.READ_BYTES)).isIn(4L * tokens * width, 2L * tokens * width);
                continue;
            }
            if (place.site() == Site.HEAD && watched.readPart("screen").get(0)) {
                read += screenBytes(model);
            }
            assertThat(counts.count(i, Measure.DENSE_BYTES))
                    .as("%s, dense", place)
                    .isEqualTo(dense);
            assertThat(counts.count(i, Measure.READ_BYTES))
                    .as("%s, read", place)
                    .isEqualTo(read);
        }
    }

    private static long screenBytes(TernaryModel model) {
        return Math.ceilDiv(model.dimensions().vocabSize(), 64)
                * 64L
                * model.dimensions().hiddenSize();
    }

    private static long readBytes(BitLinear linear, WatchedKernels watched) {
        long rows = watched.readPart(linear.weights()).isEmpty() ? 0 : linear.weightBytes();
        if (linear.columns() == null) {
            return rows;
        }
        long column = linear.columns().words().byteSize() / linear.inputSize();
        return rows + column * watched.readPart(linear.columns()).cardinality();
    }

    private static List<Linear> linears(TernaryModel model, Place place) {
        if (place.layer() == Place.NO_LAYER) {
            return place.site() == Site.HEAD ? List.of(model.head()) : List.of();
        }
        Block block = model.blocks().get(place.layer());
        List<Linear> mixer = block.mixer().linears();
        List<Linear> channel = block.channel().linears();
        return switch (place.site()) {
            case MIXER_IN -> mixer.subList(0, 3);
            case MIXER_OUT -> mixer.subList(3, 4);
            case CHANNEL_IN -> channel.subList(0, 2);
            case CHANNEL_DOWN -> channel.subList(2, 3);
            case PEER_QUERY -> channel;
            case ATTENTION, PEER_EXPERTS, EMBEDDING, HEAD -> List.of();
        };
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aSequencesCountsAreTheSameAloneAndAmongOthersInAnyChunksOnAnyThreads(Case each) throws Exception {
        List<List<Long>> alone = new ArrayList<>();
        try (TernaryModel model = load(each, KernelSelection.select("auto", 1));
                Arena arena = Arena.ofShared()) {
            for (Chunk chunk : chunks(each, model, arena)) {
                Workspace workspace = model.newWorkspace(40, 40);
                model.forward(Batch.of(chunk), workspace);
                alone.add(ofChunks(workspace.counts()));
            }
        }
        try (TernaryModel model = load(each, KernelSelection.select("auto", 3));
                Arena arena = Arena.ofShared()) {
            List<Chunk> chunks = chunks(each, model, arena);
            Workspace workspace = model.newWorkspace(40, 40);
            List<PassCounts> sequences = chunks.stream()
                    .map(chunk -> new PassCounts(workspace.counts().places()))
                    .toList();
            model.forward(new Batch(chunks), workspace);
            IntStream.range(0, chunks.size()).forEach(i -> workspace.addChunkCounts(sequences.get(i), i));

            assertThat(sequences).extracting(PassCountsTest::ofChunks).isEqualTo(alone);
            List<Long> sums = new ArrayList<>(ofChunks(workspace.counts()));
            for (PassCounts sequence : sequences) {
                List<Long> own = ofChunks(sequence);
                IntStream.range(0, sums.size()).forEach(i -> sums.set(i, sums.get(i) - own.get(i)));
            }
            assertThat(sums).containsOnly(0L);

            // The third sequence again, token by token.
            Chunk whole = chunks(each, model, arena).get(2);
            PassCounts tokenByToken = new PassCounts(workspace.counts().places());
            for (int t = 0; t < whole.tokens().length; t++) {
                int[] token = {whole.tokens()[t]};
                Chunk next = new Chunk(
                        whole.state(), t, token, whole.wanted(), whole.activationSparsity(), whole.candidates());
                model.forward(Batch.of(next), workspace);
                workspace.addChunkCounts(tokenByToken, 0);
            }
            assertThat(ofChunks(tokenByToken)).isEqualTo(alone.get(2));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitsThatAreCompletedLaterAreCounted(Case each) throws Exception {
        try (TernaryModel model = load(each, KernelSelection.select("auto", 2));
                Arena arena = Arena.ofShared()) {
            List<Chunk> chunks = chunks(each, model, arena);
            Workspace workspace = model.newWorkspace(40, 40);
            model.forward(new Batch(chunks), workspace);
            int row = chunks.get(0).logitRows() + chunks.get(1).logitRows();
            boolean incomplete = !workspace.candidates(row).areAll();
            assertThat(incomplete).isEqualTo(each.head() == HeadMode.SCREENED);
            PassCounts before = new PassCounts(workspace.counts().places());
            workspace.addChunkCounts(before, 2);
            int head = workspace.counts().places().size() - 1;
            long read = workspace.counts().count(head, Measure.READ_BYTES);

            model.completeLogits(workspace, row);

            PassCounts after = new PassCounts(workspace.counts().places());
            workspace.addChunkCounts(after, 2);
            long all = (long) model.head().outputSize() * model.head().inputSize();
            assertThat(after.count(head, Measure.MULTIPLICATIONS) - before.count(head, Measure.MULTIPLICATIONS))
                    .isEqualTo(incomplete ? all : 0);
            assertThat(workspace.counts().count(head, Measure.READ_BYTES) - read)
                    .isEqualTo(incomplete ? model.head().weightBytes() : 0);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyRetrievalHasOneExpertThatMattersMost(Case each) throws Exception {
        try (TernaryModel model = load(each, KernelSelection.select("auto", 2));
                Arena arena = Arena.ofShared()) {
            Workspace workspace = model.newWorkspace(40, 40);
            Batch batch = new Batch(chunks(each, model, arena));
            model.forward(batch, workspace);

            assertThat(workspace.retrievals().isEmpty())
                    .isEqualTo(!each.checkpoint().contains("peer")
                            && !each.checkpoint().contains("fairy"));
            for (Retrieval retrieval : workspace.retrievals()) {
                int retrievals = batch.tokens() * retrieval.numHeads();
                int hits = IntStream.range(0, retrieval.topK())
                        .map(retrieval::hits)
                        .sum();
                // Where no expert is active, none matters.
                assertThat(hits).isBetween(retrievals / 2, retrievals);
                long activated = 0;
                for (int token = 0; token < batch.tokens(); token++) {
                    int t = token;
                    activated += IntStream.range(0, retrieval.numHeads() * retrieval.topK())
                            .map(i -> retrieval.expert(t, i / retrieval.topK(), i % retrieval.topK()))
                            .distinct()
                            .count();
                }
                assertThat(retrieval.activatedExperts()).isEqualTo((int) activated);
            }
        }
    }

    private static List<Long> ofChunks(PassCounts counts) {
        return IntStream.range(0, counts.places().size())
                .boxed()
                .flatMap(place -> OF_CHUNKS.stream().map(measure -> counts.count(place, measure)))
                .toList();
    }

    private static TernaryModel load(Case each, Kernels kernels) throws Exception {
        LoadOptions options = new LoadOptions(KeyValueFormat.F32, OptionalDouble.of(0.99), each.head());
        return ModelLoader.load(Path.of(each.checkpoint()), kernels, options, LoadProgress.NONE)
                .model();
    }

    /** Returns chunks of all kinds, of new sequences; the third wants all its logits and asks for much sparsity. */
    private static List<Chunk> chunks(Case each, TernaryModel model, Arena arena) {
        SplittableRandom random = new SplittableRandom(20261128);
        int vocabSize = model.dimensions().vocabSize();
        List<Chunk> chunks = new ArrayList<>();
        CandidateRule best = new CandidateRule.Best(1);
        for (int length : new int[] {1, 7, 9, 3}) {
            int[] tokens = random.ints(length, 0, vocabSize).toArray();
            SequenceState state = SequenceState.allocate(model.stateLayout(), length, arena);
            Chunk.Wanted wanted = switch (length) {
                case 1 -> Chunk.Wanted.LAST;
                case 7 -> Chunk.Wanted.HIDDEN;
                case 9 -> Chunk.Wanted.ALL;
                default -> Chunk.Wanted.NONE;
            };
            double sparsity = length == 9 ? HARDLY_ANY : each.sparsity();
            chunks.add(new Chunk(state, 0, tokens, wanted, sparsity, best));
        }
        return chunks;
    }
}
