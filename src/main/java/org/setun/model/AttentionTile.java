package org.setun.model;

import org.setun.kernel.AttentionKernel;

/** A few queries of one key head, with the scores of each: what one thread attends for at a time. */
final class AttentionTile {

    private static final ThreadLocal<AttentionTile> OF_THREAD = ThreadLocal.withInitial(AttentionTile::new);

    private final AttentionKernel.Tile page = new AttentionKernel.Tile();
    private final int[] visible = new int[AttentionKernel.TILE];
    private float[] scores = new float[0];
    private int stride;
    private int count;

    private AttentionTile() {}

    static AttentionTile ofThread() {
        return OF_THREAD.get();
    }

    void clear() {
        count = 0;
    }

    /** Adds a query that begins at {@code head} and sees the first {@code tokens} tokens. */
    void add(int head, int tokens) {
        page.heads()[count] = head;
        visible[count++] = tokens;
    }

    int count() {
        return count;
    }

    /** Returns how many tokens the query sees that sees most. */
    int longest() {
        int longest = 0;
        for (int q = 0; q < count; q++) {
            longest = Math.max(longest, visible[q]);
        }
        return longest;
    }

    /** Makes space for the scores of {@code tokens} tokens for each query. Long conversations grow it by a half, not by a page. */
    void reserve(int tokens) {
        stride = tokens;
        if (scores.length < AttentionKernel.TILE * tokens) {
            scores = new float[AttentionKernel.TILE * (tokens + tokens / 2)];
        }
    }

    /** Returns where the queries lie and where their scores of the page that begins at token {@code start} do. */
    AttentionKernel.Tile at(int start) {
        for (int q = 0; q < count; q++) {
            page.numbers()[q] = row(q) + start;
        }
        return page;
    }

    float[] scores() {
        return scores;
    }

    /** Returns where query {@code q}'s scores begin. */
    int row(int q) {
        return q * stride;
    }

    /** Returns where query {@code q}'s scores of the page begin that {@link #at} was asked for last. */
    int number(int q) {
        return page.numbers()[q];
    }

    /** Returns where query {@code q} begins, and in the end its sum of values. */
    int head(int q) {
        return page.heads()[q];
    }

    /** Returns how many tokens query {@code q} sees. */
    int visible(int q) {
        return visible[q];
    }

    /** Returns how many of the {@code tokens} tokens from {@code start} on query {@code q} sees. */
    int visible(int q, int start, int tokens) {
        return Math.clamp((long) visible[q] - start, 0, tokens);
    }
}
