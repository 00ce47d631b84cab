package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.FloatKernel;
import org.setun.kernel.Kernels;
import org.setun.kernel.MatrixKernel;

/**
 * Causal grouped-query attention (arXiv 2305.13245) with rotary positions, as BitNet b1.58 has it:
 *
 * <pre>
 * q, k, v = query(x), key(x), value(x);   q, k = rope(q), rope(k)
 * y = output(subNorm(softmax(q k^T / sqrt(headDim)) v))
 * </pre>
 *
 * Query head {@code j} reads key and value head {@code j / (numHeads / numKvHeads)}. A page keeps, head after head, the keys
 * of its tokens and then their values, as {@link KeyValueFormat} lays them out.
 *
 * @param query {@code [numHeads * headDim, hidden]}
 * @param key {@code [numKvHeads * headDim, hidden]}
 * @param value {@code [numKvHeads * headDim, hidden]}
 * @param output {@code [hidden, numHeads * headDim]}
 * @param subNorm over all heads together; null where there is none
 * @param heads their numbers and width
 * @param rope the rotary positions
 * @param format how keys and values are kept
 */
public record Attention(
        Linear query,
        Linear key,
        Linear value,
        Linear output,
        @Nullable RmsNorm subNorm,
        Heads heads,
        Rope rope,
        KeyValueFormat format)
        implements TokenMixer {

    /**
     * The heads of an attention layer.
     *
     * @param queries query heads, a multiple of {@code keyValues}
     * @param keyValues key and value heads
     * @param width values of a head; even
     */
    public record Heads(int queries, int keyValues, int width) {

        public Heads {
            if (queries % keyValues != 0 || width % 2 != 0) {
                throw new IllegalArgumentException(
                        "expected query heads that are a multiple of the key heads and an even" + " width, found "
                                + queries + ", " + keyValues + ", " + width);
            }
        }
    }

    @Override
    public List<Linear> linears() {
        return List.of(query, key, value, output);
    }

    @Override
    public long stateBytes() {
        return 0;
    }

    @Override
    public long pageBytes(int pageTokens) {
        return pageTokens * format.tokenBytes(heads.keyValues(), heads.width());
    }

    private long headBytes(int pageTokens) {
        return format.blockBytes(pageTokens, heads.width());
    }

    @Override
    public void forward(Batch batch, StateSlice slice, float[] x, float[] out, Buffers buffers, Kernels kernels) {
        int tokens = batch.tokens();
        LinearInput input = buffers.linearInput();
        query.prepare(x, tokens, input, kernels);
        query.multiply(input, buffers.sums(), buffers.first(), kernels);
        key.prepareAfter(query, x, tokens, input, kernels);
        key.multiply(input, buffers.sums(), buffers.second(), kernels);
        value.prepareAfter(key, x, tokens, input, kernels);
        value.multiply(input, buffers.sums(), buffers.third(), kernels);
        turnAndKeep(batch, slice, buffers, kernels);
        attend(batch, slice, buffers.first(), kernels);
        if (subNorm != null) {
            subNorm.apply(buffers.first(), tokens, buffers.first(), kernels);
        }
        output.forward(buffers.first(), tokens, buffers, out, kernels);
    }

    /** Turns queries and keys by their positions, and writes keys and values to the pages. */
    private void turnAndKeep(Batch batch, StateSlice slice, Buffers buffers, Kernels kernels) {
        kernels.workers().forRange(batch.tokens(), 1, (from, to) -> {
            float[] cos = new float[heads.width() / 2];
            float[] sin = new float[heads.width() / 2];
            byte[] codes = new byte[heads.width()];
            int token = 0;
            for (Chunk chunk : batch.chunks()) {
                for (int i = 0; i < chunk.tokens().length; i++, token++) {
                    if (token >= from && token < to) {
                        int position = chunk.position() + i;
                        rope.turns(position, cos, sin);
                        Rope.rotate(buffers.first(), token * query.outputSize(), heads.queries(), cos, sin);
                        Rope.rotate(buffers.second(), token * key.outputSize(), heads.keyValues(), cos, sin);
                        keep(chunk.state(), slice, position, buffers, token, codes, kernels.floating());
                    }
                }
            }
        });
    }

    private void keep(
            SequenceState state,
            StateSlice slice,
            int position,
            Buffers buffers,
            int token,
            byte[] codes,
            FloatKernel floating) {
        int width = heads.width();
        int pageTokens = slice.pageTokens();
        int page = position / pageTokens;
        int row = position % pageTokens;
        for (int head = 0; head < heads.keyValues(); head++) {
            int offset = (token * heads.keyValues() + head) * width;
            MemorySegment keys = block(state, page, keysAt(slice, head), pageTokens);
            format.store(floating, buffers.second(), offset, width, keys, pageTokens, row, codes);
            MemorySegment values = block(state, page, valuesAt(slice, head), pageTokens);
            format.store(floating, buffers.third(), offset, width, values, pageTokens, row, codes);
        }
    }

    private long keysAt(StateSlice slice, int head) {
        return slice.pageOffset() + 2L * head * headBytes(slice.pageTokens());
    }

    private long valuesAt(StateSlice slice, int head) {
        return keysAt(slice, head) + headBytes(slice.pageTokens());
    }

    /** Replaces each query head by what it attends to, heads of all tokens split among the threads. */
    private void attend(Batch batch, StateSlice slice, float[] queries, Kernels kernels) {
        int longest = 0;
        for (Chunk chunk : batch.chunks()) {
            longest = Math.max(longest, chunk.position() + chunk.tokens().length);
        }
        int maxVisible = longest;
        int numHeads = heads.queries();
        kernels.workers().forRange(batch.tokens() * numHeads, 1, (from, to) -> {
            float[] scores = new float[maxVisible];
            int first = 0;
            for (Chunk chunk : batch.chunks()) {
                for (int i = 0; i < chunk.tokens().length; i++, first += numHeads) {
                    int end = Math.min(to, first + numHeads);
                    for (int job = Math.max(from, first); job < end; job++) {
                        int visible = chunk.position() + i + 1;
                        attendHead(
                                chunk.state(),
                                slice,
                                visible,
                                job - first,
                                queries,
                                job * heads.width(),
                                scores,
                                kernels);
                    }
                }
            }
        });
    }

    private void attendHead(
            SequenceState state,
            StateSlice slice,
            int visible,
            int head,
            float[] queries,
            int offset,
            float[] scores,
            Kernels kernels) {
        MatrixKernel matrices = kernels.matrices();
        int width = heads.width();
        int pageTokens = slice.pageTokens();
        int keyValueHead = head / (heads.queries() / heads.keyValues());
        for (int start = 0; start < visible; start += pageTokens) {
            int count = Math.min(pageTokens, visible - start);
            MemorySegment keys = block(state, start / pageTokens, keysAt(slice, keyValueHead), pageTokens);
            matrices.multiply(format.rows(keys, pageTokens, width), queries, offset, 0, count, scores, start);
            format.rescale(keys, pageTokens, width, count, scores, start);
        }
        kernels.floating().softmax(scores, visible, (float) (1 / Math.sqrt(width)));
        Arrays.fill(queries, offset, offset + width, 0);
        for (int start = 0; start < visible; start += pageTokens) {
            int count = Math.min(pageTokens, visible - start);
            MemorySegment values = block(state, start / pageTokens, valuesAt(slice, keyValueHead), pageTokens);
            format.rescale(values, pageTokens, width, count, scores, start);
            matrices.addWeightedRows(format.rows(values, pageTokens, width), count, scores, start, queries, offset);
        }
    }

    private MemorySegment block(SequenceState state, int page, long at, int pageTokens) {
        return state.pages().get(page).asSlice(at, headBytes(pageTokens));
    }
}
