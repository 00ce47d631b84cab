package org.setun.model;

/**
 * The memory that a sequence needs between steps: a fixed part for the recurrent layers, and pages for the attention layers,
 * which keep something of every token.
 *
 * @param recurrentBytes the fixed part: the recurrent state of all layers, whatever the sequence's length
 * @param pageTokens how many tokens a page holds; at least 1
 * @param pageBytes the size of a page, for all attention layers together; 0 where the model has none
 */
public record StateLayout(long recurrentBytes, int pageTokens, long pageBytes) {

    public StateLayout {
        if (recurrentBytes < 0 || pageBytes < 0) {
            throw new IllegalArgumentException("negative state size " + recurrentBytes + ", " + pageBytes);
        }
        if (pageTokens < 1) {
            throw new IllegalArgumentException("a page of " + pageTokens + " tokens");
        }
    }

    /** Returns the layout of a model without attention. */
    public static StateLayout recurrent(long bytes) {
        return new StateLayout(bytes, 1, 0);
    }

    /** Returns how many pages a sequence of {@code tokens} tokens needs. */
    public int pages(int tokens) {
        return pageBytes == 0 ? 0 : Math.ceilDiv(tokens, pageTokens);
    }
}
