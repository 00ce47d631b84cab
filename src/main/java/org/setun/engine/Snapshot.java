package org.setun.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The state of the recurrent layers after some tokens, in memory of its own off the heap, and the page that these have begun and not
 * filled. For the engine thread, which also closes it.
 */
final class Snapshot implements AutoCloseable {

    /** A cache line, and the widest vector. */
    private static final long ALIGNMENT = 64;

    private final int count;
    private final double activationSparsity;
    // Of the engine thread alone: closing it stops no other thread.
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment state;
    private final @Nullable Page begun;
    private int[] tokens;
    private boolean used;

    /**
     * Copies the state after the first {@code count} tokens of a text. An {@link OutOfMemoryError} leaves nothing behind.
     *
     * @param begun the page that the last tokens begin; its holder is who has the snapshot
     */
    Snapshot(Prefix prefix, int count, MemorySegment slot, @Nullable Page begun) {
        this.count = count;
        this.activationSparsity = prefix.activationSparsity();
        this.begun = begun;
        this.tokens = prefix.array();
        try {
            this.state = arena.allocate(slot.byteSize(), ALIGNMENT);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw e;
        }
        state.copyFrom(slot);
    }

    /** Returns whether this is the state after the first {@code count} tokens of a text. */
    boolean isOf(Prefix prefix, int count) {
        return this.count == count
                && activationSparsity == prefix.activationSparsity()
                && prefix.matches(tokens, 0, count);
    }

    /** Returns the array that begins with the tokens. */
    int[] tokens() {
        return tokens;
    }

    /** Replaces the array by another one that begins with the same tokens. */
    void tokens(int[] same) {
        tokens = same;
    }

    MemorySegment state() {
        return state;
    }

    @Nullable
    Page begun() {
        return begun;
    }

    /** Notes that a sequence goes on from here. */
    void use() {
        used = true;
    }

    /** Returns whether a sequence has gone on from here. */
    boolean isUsed() {
        return used;
    }

    /** Frees the state. */
    @Override
    public void close() {
        arena.close();
    }
}
