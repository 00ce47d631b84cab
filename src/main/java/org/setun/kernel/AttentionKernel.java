package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import org.setun.tensor.ElementType;

/**
 * What attention reads of its past, page by page: scores of queries against keys, and weighted sums of values. All
 * implementations compute the same bits; {@link ScalarAttentionKernel} is their specification. A result of one query does not
 * depend on those beside it.
 *
 * <p>A page has {@link #PAGE_TOKENS} = 32 tokens. Keys lie dimension after dimension, {@code [width, 32]}, so that a vector lane is a
 * token and scores need no horizontal sum; values lie token after token, {@code [32, width]}, so that a lane is a dimension. Both are
 * stored as {@link #elementType}, little-endian.
 *
 * <p>Implementations are for one element type, stateless, and may be called by several threads.
 */
public interface AttentionKernel {

    /** Tokens of a page. */
    int PAGE_TOKENS = 32;

    /** Queries that share what is read, at most. */
    int TILE = 4;

    /** Returns a short name for logs, such as {@code vector-512}. */
    String name();

    /** Returns how keys and values are stored: F32, F16 or I8. */
    ElementType elementType();

    /**
     * Computes the scores of {@code count} queries against all keys of a page: {@code scores[scoresAt[q] + t] = sum_d keys[d, t] *
     * queries[queriesAt[q] + d]} for {@code t} from 0 to 32, one running sum of fused multiply-adds each, {@code d} ascending,
     * starting from 0. Scores of tokens that the page does not have yet are of no meaning.
     *
     * @param page holds the keys at byte {@code at}
     * @param width dimensions of a head
     * @param tile where the queries lie, and their scores
     * @param count at most {@link #TILE}
     */
    void scores(MemorySegment page, long at, int width, float[] queries, float[] scores, Tile tile, int count);

    /**
     * Adds the weighted values of {@code tokens} tokens of a page to each of {@code count} sums: {@code sums[sumsAt[q] + d] +=
     * weights[weightsAt[q] + t] * values[t, d]}, a fused multiply-add each, {@code t} ascending.
     *
     * @param page holds the values at byte {@code at}
     * @param width dimensions of a head
     * @param first the first query of the tile to serve
     * @param count how many; {@code first + count} at most {@link #TILE}
     * @param fromToken the first token
     * @param toToken the one after the last
     */
    void addValues(
            MemorySegment page,
            long at,
            int width,
            float[] weights,
            float[] sums,
            Tile tile,
            int first,
            int count,
            int fromToken,
            int toToken);

    /**
     * Where the queries of a tile and what belongs to them lie.
     *
     * @param heads where each query begins, and the sum of values that takes its place
     * @param numbers where each query's scores of the page at hand begin
     */
    record Tile(int[] heads, int[] numbers) {

        /** Creates a tile to be filled. */
        public Tile() {
            this(new int[TILE], new int[TILE]);
        }
    }
}
