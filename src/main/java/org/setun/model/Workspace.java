package org.setun.model;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of forward passes, allocated once. Holds the logits of the last pass. For one thread at a time.
 */
public final class Workspace {

    private final int maxTokens;
    private final int maxLogitRows;
    private final int vocabSize;
    private final float[] logits;
    private final float[] hidden;
    private final Candidates[] candidates;

    /** Null in the workspace of a model that needs no scratch memory. */
    private final @Nullable Buffers buffers;

    /** Null in the workspace of a model whose head is not screened. */
    private final ScreenedHead.@Nullable Scratch head;

    private final PassCounter counter;

    /** Allocates space for logits alone, for models that need no scratch memory. */
    public Workspace(ModelDimensions dimensions, int maxTokens, int maxLogitRows) {
        this(dimensions, maxTokens, maxLogitRows, null, null, PassCounter.off());
    }

    Workspace(
            ModelDimensions dimensions,
            int maxTokens,
            int maxLogitRows,
            @Nullable Buffers buffers,
            ScreenedHead.@Nullable Scratch head,
            PassCounter counter) {
        if (maxLogitRows > maxTokens) {
            throw new IllegalArgumentException(
                    "expected at most " + maxTokens + " rows of logits, one a token, found " + maxLogitRows);
        }
        this.maxTokens = maxTokens;
        this.maxLogitRows = maxLogitRows;
        this.vocabSize = dimensions.vocabSize();
        this.hidden = new float[Math.multiplyExact(maxTokens, dimensions.hiddenSize())];
        this.logits = new float[Math.multiplyExact(maxLogitRows, vocabSize)];
        this.candidates = new Candidates[maxLogitRows];
        int maxCandidates = head == null ? 0 : head.maxCandidates();
        Arrays.setAll(candidates, row -> new Candidates(maxCandidates));
        this.buffers = buffers;
        this.head = head;
        this.counter = counter;
    }

    /** Returns the scratch memory of the model that made this workspace. */
    Buffers buffers() {
        if (buffers == null) {
            throw new IllegalArgumentException("this workspace was not made by the model's newWorkspace");
        }
        return buffers;
    }

    /** Returns the scratch memory of a screened head. */
    ScreenedHead.Scratch head() {
        if (head == null) {
            throw new IllegalArgumentException("this workspace was not made by a model with a screened head");
        }
        return head;
    }

    /** Returns the most tokens that a batch may have. */
    public int maxTokens() {
        return maxTokens;
    }

    /** Returns the most rows of logits that a batch may want. */
    public int maxLogitRows() {
        return maxLogitRows;
    }

    /** Returns which logits of a row the last pass computed. */
    public Candidates candidates(int row) {
        return candidates[row];
    }

    /** Returns those of all rows. */
    Candidates[] candidates() {
        return candidates;
    }

    /**
     * Returns the logits of the last pass, {@code [maxLogitRows, vocab]}; row {@code r} starts at {@code r * vocab}. Only those of
     * {@link #candidates} mean anything.
     */
    public float[] logits() {
        return logits;
    }

    /**
     * Returns the final hidden states of the last pass, after the final norm, {@code [tokens, hidden]}: those of the chunks that
     * wanted {@link Chunk.Wanted#HIDDEN}, in their order. What follows them means nothing.
     */
    public float[] hidden() {
        return hidden;
    }

    /** Returns what the passes of this workspace have done, from its making on; it may be read by any thread. */
    public PassCounts counts() {
        return counter.total();
    }

    /**
     * Adds what the last pass did for one of its chunks to the counts of a sequence. Bytes of weights, which all chunks share, are
     * not among them.
     *
     * @param sequence counts of the same places as {@link #counts}
     * @param chunk an index of the batch's chunks
     */
    public void addChunkCounts(PassCounts sequence, int chunk) {
        counter.addTo(sequence, chunk);
    }

    /** Returns what counts. */
    PassCounter counter() {
        return counter;
    }

    /** Returns where row {@code row} starts in {@link #logits}. */
    public int logitsOffset(int row) {
        return row * vocabSize;
    }

    /** Returns what the layers with retrieved experts chose in the last pass, first layer to last; empty if there are none. */
    public List<Retrieval> retrievals() {
        return buffers == null ? List.of() : buffers.experts().retrievals();
    }
}
