package org.setun.model;

import java.util.List;
import org.setun.kernel.Kernels;
import org.setun.kernel.RetrievalKernel;
import org.setun.kernel.RetrievalKernel.Rows;
import org.setun.tensor.PanelMatrix;

/**
 * The keys of {@code n * n} experts as {@code 2 n} sub-keys (arXiv 2407.04153, section 2.2): expert {@code i * n + j} has the
 * {@code i}-th first and the {@code j}-th second sub-key, and its score is the sum of the two halves' products with a query. An
 * expert among the {@code k} best has both halves among the {@code k} best, so that {@code 2 n} products find it exactly.
 *
 * @param pairs one pair of sub-keys for all heads, or one for each
 */
public record ProductKeys(List<Pair> pairs) {

    /** Tokens whose scores are held at once: enough to read the keys seldom, few enough to keep the scores in a cache. */
    private static final int GROUP_TOKENS = 8;

    /**
     * The sub-keys of the two halves.
     *
     * @param first {@code [n, keyDim]}
     * @param second {@code [n, keyDim]}
     */
    public record Pair(PanelMatrix first, PanelMatrix second) {

        public Pair {
            if (first.rows() != second.rows() || first.columns() != second.columns()) {
                throw new IllegalArgumentException("expected two matrices of one shape, found [" + first.rows() + ", "
                        + first.columns() + "] and [" + second.rows() + ", " + second.columns() + "]");
            }
        }
    }

    public ProductKeys {
        pairs = List.copyOf(pairs);
    }

    /** Returns n, the number of sub-keys of a half. */
    int side() {
        return pairs.getFirst().first().rows();
    }

    /** Returns the width of a sub-key. */
    int keyDim() {
        return pairs.getFirst().first().columns();
    }

    /** Returns the bytes of all sub-keys. */
    long weightBytes() {
        return pairs.stream()
                .mapToLong(pair -> pair.first().values().byteSize()
                        + pair.second().values().byteSize())
                .sum();
    }

    /** Returns the number of scores that are held at once for batches of at most {@code maxTokens} tokens. */
    int scoresHeld(int heads, int maxTokens) {
        return Math.multiplyExact(Math.min(maxTokens, GROUP_TOKENS) * 2 * heads, side());
    }

    /** Returns the number of halves' choices that are held at once for batches of at most {@code maxTokens} tokens. */
    static int choicesHeld(int heads, int topK, int maxTokens) {
        return Math.min(maxTokens, GROUP_TOKENS) * 2 * heads * topK;
    }

    /**
     * Finds the best experts of every query.
     *
     * @param queries {@code [tokens, heads, 2, keyDim]}
     * @param retrieval receives experts and scores; says how many tokens and heads there are
     */
    void retrieve(float[] queries, Retrieval retrieval, ExpertBuffers buffers, Kernels kernels) {
        int heads = retrieval.numHeads();
        for (int first = 0; first < retrieval.tokens(); first += GROUP_TOKENS) {
            int firstQuery = first * heads;
            int tokens = Math.min(GROUP_TOKENS, retrieval.tokens() - first);
            score(queries, firstQuery, tokens, heads, buffers.scores(), kernels);
            kernels.workers().forRange(tokens * heads, 1, (from, to) -> {
                for (int query = from; query < to; query++) {
                    choose(query, firstQuery, retrieval, buffers, kernels.retrieval());
                }
            });
        }
    }

    /** Scores all sub-keys for the queries of some tokens: {@code [tokens, heads, 2, n]}. Panels are split among the threads. */
    private void score(float[] queries, int firstQuery, int tokens, int heads, float[] scores, Kernels kernels) {
        int panels = pairs.getFirst().first().panels();
        kernels.workers().forRange(pairs.size() * 2 * panels, 1, (from, to) -> {
            for (int job = from; job < to; ) {
                int half = job / panels;
                int fromPanel = job % panels;
                int toPanel = Math.min(panels, fromPanel + to - job);
                scoreHalf(half, fromPanel, toPanel, queries, firstQuery, tokens, heads, scores, kernels.retrieval());
                job += toPanel - fromPanel;
            }
        });
    }

    private void scoreHalf(
            int half,
            int fromPanel,
            int toPanel,
            float[] queries,
            int firstQuery,
            int tokens,
            int heads,
            float[] scores,
            RetrievalKernel kernel) {
        Pair pair = pairs.get(half / 2);
        PanelMatrix keys = half % 2 == 0 ? pair.first() : pair.second();
        // With one pair for all heads the queries of a token follow one another; else only those of one head are asked.
        boolean shared = pairs.size() == 1;
        int step = shared ? 2 : 2 * heads;
        Rows from = new Rows(queries, (2 * firstQuery + half) * keyDim(), step * keyDim());
        Rows to = new Rows(scores, half * side(), step * side());
        kernel.scores(keys, fromPanel, toPanel, from, to, shared ? tokens * heads : tokens);
    }

    /** Chooses for one query, first among each half's scores and then among the sums. */
    private void choose(int query, int firstQuery, Retrieval retrieval, ExpertBuffers buffers, RetrievalKernel kernel) {
        int side = side();
        int k = retrieval.topK();
        int[] indices = buffers.halfIndices();
        float[] values = buffers.halfScores();
        int at = query * 2 * k;
        kernel.largest(buffers.scores(), query * 2 * side, side, k, indices, values, at);
        kernel.largest(buffers.scores(), (query * 2 + 1) * side, side, k, indices, values, at + k);
        int out = (firstQuery + query) * k;
        kernel.largestSums(indices, values, at, k, side, retrieval.experts(), retrieval.scores(), out);
    }
}
