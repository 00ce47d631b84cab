package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.AttentionKernel;
import org.setun.kernel.FloatKernel;
import org.setun.kernel.Kernels;

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
    public List<Site> sites() {
        return List.of(Site.MIXER_IN, Site.ATTENTION, Site.MIXER_OUT);
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
        PassCounter counter = input.counter();
        counter.at(Site.MIXER_IN);
        query.prepare(x, tokens, input, kernels);
        query.multiply(input, buffers.sums(), buffers.first(), kernels);
        key.prepareAfter(query, x, tokens, input, kernels);
        key.multiply(input, buffers.sums(), buffers.second(), kernels);
        value.prepareAfter(key, x, tokens, input, kernels);
        value.multiply(input, buffers.sums(), buffers.third(), kernels);
        turnAndKeep(batch, slice, buffers, kernels);
        attend(batch, slice, buffers.first(), kernels);
        counter.at(Site.ATTENTION);
        counter.attention(batch, 2L * heads.queries() * heads.width());
        if (subNorm != null) {
            subNorm.apply(buffers.first(), tokens, buffers.first(), kernels);
        }
        counter.at(Site.MIXER_OUT);
        output.forward(buffers.first(), tokens, buffers, out, kernels);
    }

    /** Turns queries and keys by their positions, and writes keys and values to the pages. */
    private void turnAndKeep(Batch batch, StateSlice slice, Buffers buffers, Kernels kernels) {
        RopeTurns turns = buffers.ropeTurns();
        turns.compute(rope, batch, kernels);
        int pairs = heads.width() / 2;
        kernels.workers().forRange(batch.tokens(), 1, (from, to) -> {
            byte[] codes = new byte[heads.width()];
            int token = 0;
            for (Chunk chunk : batch.chunks()) {
                for (int i = 0; i < chunk.tokens().length; i++, token++) {
                    if (token >= from && token < to) {
                        int position = chunk.position() + i;
                        turns.rotate(buffers.first(), token * query.outputSize(), heads.queries(), token, pairs);
                        turns.rotate(buffers.second(), token * key.outputSize(), heads.keyValues(), token, pairs);
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
        int tokens = slice.pageTokens();
        MemorySegment page = state.pages().get(position / tokens);
        int place = position % tokens;
        for (int head = 0; head < heads.keyValues(); head++) {
            int offset = (token * heads.keyValues() + head) * width;
            format.storeKey(floating, buffers.second(), offset, width, page, keysAt(slice, head), tokens, place, codes);
            format.storeValue(
                    floating, buffers.third(), offset, width, page, valuesAt(slice, head), tokens, place, codes);
        }
    }

    private long keysAt(StateSlice slice, int head) {
        return slice.pageOffset() + 2L * head * headBytes(slice.pageTokens());
    }

    private long valuesAt(StateSlice slice, int head) {
        return keysAt(slice, head) + headBytes(slice.pageTokens());
    }

    /**
     * Replaces each query head by what it attends to. The heads of a chunk are jobs, in the order of key heads, then tokens, then the
     * query heads of a key head: neighbours read the same past, and tiles of them share what they read.
     */
    private void attend(Batch batch, StateSlice slice, float[] queries, Kernels kernels) {
        int numHeads = heads.queries();
        int group = numHeads / heads.keyValues();
        kernels.workers().forRange(batch.tokens() * numHeads, Math.min(group, AttentionKernel.TILE), (from, to) -> {
            AttentionTile tile = AttentionTile.ofThread();
            int first = 0;
            for (Chunk chunk : batch.chunks()) {
                int jobs = chunk.tokens().length * numHeads;
                int start = Math.max(0, from - first);
                int end = Math.min(jobs, to - first);
                if (start < end) {
                    attendJobs(chunk, slice, queries, first * heads.width(), start, end, tile, kernels);
                }
                first += jobs;
            }
        });
    }

    /** Attends for the jobs {@code [start, end)} of a chunk whose queries begin at {@code offset}. */
    private void attendJobs(
            Chunk chunk,
            StateSlice slice,
            float[] queries,
            int offset,
            int start,
            int end,
            AttentionTile tile,
            Kernels kernels) {
        int group = heads.queries() / heads.keyValues();
        int perKeyHead = chunk.tokens().length * group;
        for (int job = start; job < end; ) {
            int keyHead = job / perKeyHead;
            int tileEnd = Math.min(Math.min(end, (keyHead + 1) * perKeyHead), job + AttentionKernel.TILE);
            tile.clear();
            for (; job < tileEnd; job++) {
                int token = job % perKeyHead / group;
                int head = keyHead * group + job % group;
                tile.add(offset + (token * heads.queries() + head) * heads.width(), chunk.position() + token + 1);
            }
            attendTile(chunk.state(), slice, keyHead, queries, tile, kernels);
        }
    }

    private void attendTile(
            SequenceState state, StateSlice slice, int keyHead, float[] queries, AttentionTile tile, Kernels kernels) {
        AttentionKernel attention = kernels.attention(format.elementType());
        int width = heads.width();
        int tokens = slice.pageTokens();
        int longest = tile.longest();
        tile.reserve(Math.ceilDiv(longest, tokens) * tokens);
        for (int start = 0; start < longest; start += tokens) {
            MemorySegment page = state.pages().get(start / tokens);
            long keys = keysAt(slice, keyHead);
            attention.scores(page, keys, width, queries, tile.scores(), tile.at(start), tile.count());
            for (int q = 0; q < tile.count(); q++) {
                format.rescale(
                        page, keys, tokens, width, tile.visible(q, start, tokens), tile.scores(), tile.number(q));
            }
        }
        float scale = (float) (1 / Math.sqrt(width));
        for (int q = 0; q < tile.count(); q++) {
            kernels.floating().softmax(tile.scores(), tile.row(q), tile.visible(q), scale);
            Arrays.fill(queries, tile.head(q), tile.head(q) + width, 0);
        }
        for (int start = 0; start < longest; start += tokens) {
            addPage(
                    state.pages().get(start / tokens),
                    start,
                    tokens,
                    valuesAt(slice, keyHead),
                    queries,
                    tile,
                    attention);
        }
    }

    /** Adds a page's weighted values: those that all queries of a tile see at once, then the others query by query. */
    private void addPage(
            MemorySegment page,
            int start,
            int tokens,
            long values,
            float[] sums,
            AttentionTile tile,
            AttentionKernel attention) {
        int width = heads.width();
        AttentionKernel.Tile at = tile.at(start);
        int shared = tokens;
        for (int q = 0; q < tile.count(); q++) {
            int visible = tile.visible(q, start, tokens);
            format.rescale(page, values, tokens, width, visible, tile.scores(), tile.number(q));
            shared = Math.min(shared, visible);
        }
        attention.addValues(page, values, width, tile.scores(), sums, at, 0, tile.count(), 0, shared);
        for (int q = 0; q < tile.count(); q++) {
            int visible = tile.visible(q, start, tokens);
            if (visible > shared) {
                attention.addValues(page, values, width, tile.scores(), sums, at, q, 1, shared, visible);
            }
        }
    }
}
