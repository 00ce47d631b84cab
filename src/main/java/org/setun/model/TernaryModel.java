package org.setun.model;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.AttentionKernel;
import org.setun.kernel.Kernels;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.ScreenMatrix;

/**
 * A stack of blocks between an embedding and an output head, for any mix of mixers. Owns its weights' memory and its
 * worker threads.
 */
public final class TernaryModel implements Model {

    /** States begin at cache lines. */
    private static final long STATE_ALIGNMENT = 64;

    /** Tokens of a page: few enough to waste little memory on a sequence's end, enough to make a page worth a loop. */
    private static final int PAGE_TOKENS = AttentionKernel.PAGE_TOKENS;

    private final ModelDimensions dimensions;
    private final FloatMatrix embedding;
    private final List<Block> blocks;
    private final RmsNorm finalNorm;
    private final Linear head;
    private final @Nullable ScreenedHead screened;
    private final Kernels kernels;
    private final Arena weights;
    private final StateSlice[] slices;
    private final StateLayout stateLayout;

    /**
     * Puts a model together.
     *
     * @param dimensions the sizes that callers see
     * @param embedding {@code [vocab, hidden]}
     * @param blocks the layers, first to last
     * @param finalNorm the norm in front of the head
     * @param head {@code [vocab, hidden]}
     * @param screen the head's weights in eight bits, for batches that do not want all logits; null if there are none
     * @param kernels the arithmetic; its workers are closed with the model
     * @param weights the arena that all matrices live in; closed with the model
     */
    public TernaryModel(
            ModelDimensions dimensions,
            FloatMatrix embedding,
            List<Block> blocks,
            RmsNorm finalNorm,
            Linear head,
            @Nullable ScreenMatrix screen,
            Kernels kernels,
            Arena weights) {
        this.dimensions = dimensions;
        this.embedding = embedding;
        this.blocks = List.copyOf(blocks);
        this.finalNorm = finalNorm;
        this.head = head;
        this.screened = screen == null ? null : screened(head, screen);
        this.kernels = kernels;
        this.weights = weights;
        this.slices = new StateSlice[blocks.size()];
        long recurrentBytes = 0;
        long pageBytes = 0;
        for (int layer = 0; layer < slices.length; layer++) {
            TokenMixer mixer = blocks.get(layer).mixer();
            slices[layer] = new StateSlice(recurrentBytes, pageBytes, PAGE_TOKENS);
            recurrentBytes = aligned(recurrentBytes + mixer.stateBytes());
            pageBytes = aligned(pageBytes + mixer.pageBytes(PAGE_TOKENS));
        }
        this.stateLayout = new StateLayout(recurrentBytes, PAGE_TOKENS, pageBytes);
    }

    private static ScreenedHead screened(Linear head, ScreenMatrix screen) {
        if (!(head instanceof FloatLinear floats)) {
            throw new IllegalArgumentException("expected a head of floats to screen, found " + head);
        }
        return new ScreenedHead(floats, screen);
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, STATE_ALIGNMENT) * STATE_ALIGNMENT;
    }

    @Override
    public ModelDimensions dimensions() {
        return dimensions;
    }

    @Override
    public StateLayout stateLayout() {
        return stateLayout;
    }

    /** Returns the layers, first to last. */
    public List<Block> blocks() {
        return blocks;
    }

    /** Returns the output head, without a screen. */
    Linear head() {
        return head;
    }

    /** Returns where layer {@code layer}'s part begins in a sequence's recurrent state, in bytes. */
    public long stateOffset(int layer) {
        return slices[layer].recurrentOffset();
    }

    /**
     * Returns the bytes of weights that a forward pass with the likeliest token reads, each once, if no activation is left out:
     * what bounds the speed of greedy decoding. Of the embedding a pass reads a row, and nothing where the head does not share it; of retrieved
     * experts those of one token count. Norms and other vectors, less than a thousandth, are left out.
     */
    public long passWeightBytes() {
        long bytes = screened == null ? head.weightBytes() : screened.weightBytes();
        for (Block block : blocks) {
            bytes += block.channel().otherWeightBytes();
            for (Linear linear : block.mixer().linears()) {
                bytes += linear.weightBytes();
            }
            for (Linear linear : block.channel().linears()) {
                bytes += linear.weightBytes();
            }
        }
        return bytes;
    }

    /**
     * Returns the bytes of all matrices by the form that products read them in: {@code ternary_cells}, {@code ternary_base3},
     * {@code ternary_columns}, {@code ternary_rows}, {@code screen_i8} and the types of floats. One that is read in two forms counts in
     * both; norms and other vectors are left out.
     */
    public Map<String, Long> weightBytesByForm() {
        return WeightForms.bytes(blocks, embedding, head, screened == null ? null : screened.screen());
    }

    @Override
    public Workspace newWorkspace(int maxTokens, int maxLogitRows) {
        return newWorkspace(maxTokens, maxLogitRows, new PassCounter(places(), blocks.size()));
    }

    /** Returns where something is counted, in the order of the computation. */
    private List<PassCounts.Place> places() {
        List<PassCounts.Place> places = new ArrayList<>();
        places.add(new PassCounts.Place(PassCounts.Place.NO_LAYER, Site.EMBEDDING));
        for (int layer = 0; layer < blocks.size(); layer++) {
            for (Site site : blocks.get(layer).sites()) {
                places.add(new PassCounts.Place(layer, site));
            }
        }
        places.add(new PassCounts.Place(PassCounts.Place.NO_LAYER, Site.HEAD));
        return places;
    }

    /** Allocates a workspace whose passes {@code counter} counts. */
    Workspace newWorkspace(int maxTokens, int maxLogitRows, PassCounter counter) {
        int maxWidth = blocks.stream()
                .flatMap(block -> Stream.concat(block.mixer().linears().stream(), block.channel().linears().stream()))
                .mapToInt(linear -> Math.max(linear.inputSize(), linear.outputSize()))
                .reduce(dimensions.hiddenSize(), Math::max);
        ExpertBuffers experts = new ExpertBuffers(maxTokens, dimensions.hiddenSize(), blocks);
        Buffers buffers = new Buffers(
                maxTokens, maxLogitRows, dimensions.hiddenSize(), maxWidth, dimensions.vocabSize(), experts, counter);
        ScreenedHead.Scratch head = screened == null ? null : screened.newScratch(maxLogitRows);
        return new Workspace(dimensions, maxTokens, maxLogitRows, buffers, head, counter);
    }

    @Override
    public void forward(Batch batch, Workspace workspace) {
        check(batch, workspace);
        Buffers buffers = workspace.buffers();
        LinearInput input = buffers.linearInput();
        PassCounter counter = workspace.counter();
        counter.begin(batch);
        embed(batch, buffers.residual(), counter);
        input.serve(batch);
        buffers.ropeTurns().clear();
        for (int layer = 0; layer < slices.length; layer++) {
            counter.layer(layer);
            blocks.get(layer).forward(batch, slices[layer], buffers, kernels);
        }
        input.serveHead();
        counter.head(batch);
        int rows = gatherWanted(batch, buffers);
        if (rows > 0) {
            finalNorm.apply(buffers.normed(), rows, buffers.normed(), kernels);
            head.prepare(buffers.normed(), rows, input, kernels);
            computeLogits(batch, rows, workspace);
        }
        counter.publish();
        gatherHidden(batch, buffers.residual(), workspace.hidden());
    }

    /** Copies the rows of the residual stream that are wanted themselves, and applies the final norm. */
    private void gatherHidden(Batch batch, float[] residual, float[] out) {
        int hidden = dimensions.hiddenSize();
        int token = 0;
        int rows = 0;
        for (Chunk chunk : batch.chunks()) {
            int tokens = chunk.tokens().length;
            if (chunk.wanted() == Chunk.Wanted.HIDDEN) {
                System.arraycopy(residual, token * hidden, out, rows * hidden, tokens * hidden);
                rows += tokens;
            }
            token += tokens;
        }
        if (rows > 0) {
            finalNorm.apply(out, rows, out, kernels);
        }
    }

    private void computeLogits(Batch batch, int rows, Workspace workspace) {
        Buffers buffers = workspace.buffers();
        LinearInput input = buffers.linearInput();
        if (screened != null && batch.hasCandidateRules()) {
            screened.forward(
                    input,
                    batch.candidateRules(),
                    workspace.candidates(),
                    workspace.logits(),
                    workspace.head(),
                    kernels);
        } else {
            head.multiply(input, buffers.sums(), workspace.logits(), kernels);
            for (int row = 0; row < rows; row++) {
                workspace.candidates(row).setAll();
            }
        }
    }

    @Override
    public void completeLogits(Workspace workspace, int row) {
        if (screened != null && !workspace.candidates(row).areAll()) {
            screened.complete(workspace.buffers().linearInput(), row, workspace.logits(), kernels);
            workspace.candidates(row).setAll();
            workspace.counter().publish();
        }
    }

    private void check(Batch batch, Workspace workspace) {
        if (batch.tokens() > workspace.maxTokens()) {
            throw new IllegalArgumentException(
                    "expected a batch of at most " + workspace.maxTokens() + " tokens, found " + batch.tokens());
        }
        if (batch.logitRows() > workspace.maxLogitRows()) {
            throw new IllegalArgumentException("expected a batch that wants at most " + workspace.maxLogitRows()
                    + " rows of logits, found " + batch.logitRows());
        }
        for (Chunk chunk : batch.chunks()) {
            for (int token : chunk.tokens()) {
                if (token < 0 || token >= dimensions.vocabSize()) {
                    throw new IllegalArgumentException(
                            "expected token ids from 0 to " + (dimensions.vocabSize() - 1) + ", found " + token);
                }
            }
            int pages = stateLayout.pages(chunk.position() + chunk.tokens().length);
            if (chunk.state().pages().size() < pages) {
                throw new IllegalArgumentException("expected a state of at least " + pages + " pages, found "
                        + chunk.state().pages().size());
            }
        }
    }

    private void embed(Batch batch, float[] residual, PassCounter counter) {
        counter.at(Site.EMBEDDING);
        int row = 0;
        for (Chunk chunk : batch.chunks()) {
            for (int token : chunk.tokens()) {
                embedding.readRow(token, residual, row++ * dimensions.hiddenSize());
            }
        }
        long bytes =
                (long) row * dimensions.hiddenSize() * embedding.elementType().bytes();
        counter.weights(bytes, bytes);
    }

    /** Copies the rows of the residual stream that want logits to the front of {@code normed}; returns their number. */
    private int gatherWanted(Batch batch, Buffers buffers) {
        int hidden = dimensions.hiddenSize();
        int token = 0;
        int rows = 0;
        for (Chunk chunk : batch.chunks()) {
            token += chunk.tokens().length;
            int wanted = chunk.logitRows();
            System.arraycopy(
                    buffers.residual(), (token - wanted) * hidden, buffers.normed(), rows * hidden, wanted * hidden);
            rows += wanted;
        }
        return rows;
    }

    @Override
    public void close() {
        if (weights.scope().isAlive()) {
            kernels.workers().close();
            weights.close();
        }
    }
}
