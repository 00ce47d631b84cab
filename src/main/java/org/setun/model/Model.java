package org.setun.model;

/**
 * A language model in memory: token ids to logits, with all per-sequence memory outside of it.
 *
 * <p>A forward pass depends on nothing but the weights, each chunk's tokens and each chunk's state: what else is in the
 * batch, how a sequence is cut into chunks and how many threads work does not change a bit of any sequence's logits.
 */
public interface Model extends AutoCloseable {

    /** Returns the sizes that callers allocate by. */
    ModelDimensions dimensions();

    /** Returns the memory that one sequence needs. */
    StateLayout stateLayout();

    /**
     * Allocates the buffers for batches of at most {@code maxTokens} tokens that want at most {@code maxLogitRows} rows of
     * logits.
     */
    Workspace newWorkspace(int maxTokens, int maxLogitRows);

    /**
     * Runs every chunk of {@code batch} through the network, advances each chunk's state by its tokens and leaves the
     * wanted logits in {@code workspace}, in the order of {@link Batch}. One thread at a time may use a workspace.
     *
     * @throws IllegalArgumentException if the batch exceeds the workspace, or a token id is outside the vocabulary
     */
    void forward(Batch batch, Workspace workspace);

    /**
     * Computes all logits of row {@code row} of the last pass, where some were left out as no candidates. Those that were there
     * stay as they are, to the bit.
     */
    void completeLogits(Workspace workspace, int row);

    /** Frees the weights. No forward pass may be running or follow. Idempotent. */
    @Override
    void close();
}
