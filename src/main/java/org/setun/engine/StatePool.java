package org.setun.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;

/**
 * The memory of all running sequences, off the heap in one arena, which the pool owns: equal slots for the recurrent state, and
 * pages, of which a sequence holds as many as its tokens need. Pages are allocated when they are first needed, up to a budget.
 * For one thread at a time, but any thread may read and write a state while it is held.
 */
final class StatePool implements AutoCloseable {

    /** A cache line, so that sequences never share one, and the widest vector. */
    private static final long ALIGNMENT = 64;

    // Shared, since the kernel's worker threads write to the slots and another thread closes it.
    private final Arena arena = Arena.ofShared();
    private final StateLayout layout;
    private final ArrayDeque<MemorySegment> freeSlots = new ArrayDeque<>();
    private final ArrayDeque<MemorySegment> freePages = new ArrayDeque<>();
    private final int slots;
    private long unallocatedPages;

    /**
     * Allocates the slots.
     *
     * @param slots sequences that run at once
     * @param pageMemory bytes that all pages together may take
     */
    StatePool(StateLayout layout, int slots, long pageMemory) {
        this.layout = layout;
        this.slots = slots;
        this.unallocatedPages = layout.pageBytes() == 0 ? 0 : pageMemory / layout.pageBytes();
        long stride = (layout.recurrentBytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        MemorySegment memory = allocate(stride);
        for (int slot = 0; slot < slots; slot++) {
            freeSlots.add(memory.asSlice(slot * stride, layout.recurrentBytes(), ALIGNMENT));
        }
    }

    private MemorySegment allocate(long stride) {
        try {
            return arena.allocate(Math.multiplyExact(slots, stride), ALIGNMENT);
        } catch (OutOfMemoryError | ArithmeticException e) {
            arena.close();
            throw new IllegalStateException(
                    "cannot allocate the memory of " + slots + " sequences of " + stride
                            + " bytes each; lower the number of sequences that run at once",
                    e);
        }
    }

    /** Returns the number of slots that nobody holds. */
    int free() {
        return freeSlots.size();
    }

    /** Returns the number of pages that nobody holds. */
    long freePages() {
        return freePages.size() + unallocatedPages;
    }

    /** Returns whether there is room for a sequence that may come to have {@code tokens} tokens. */
    boolean fits(int tokens) {
        return !freeSlots.isEmpty() && layout.pages(tokens) <= freePages();
    }

    /** Lends the state of an empty sequence that may come to have {@code tokens} tokens, which must fit. */
    SequenceState acquire(int tokens) {
        List<MemorySegment> pages = new ArrayList<>();
        try {
            for (int i = layout.pages(tokens); i > 0; i--) {
                pages.add(page());
            }
        } catch (OutOfMemoryError e) {
            freePages.addAll(pages);
            throw e;
        }
        SequenceState state = new SequenceState(freeSlots.pop(), pages);
        state.reset();
        return state;
    }

    private MemorySegment page() {
        if (!freePages.isEmpty()) {
            return freePages.pop();
        }
        if (unallocatedPages == 0) {
            throw new IllegalStateException("no page is free");
        }
        MemorySegment page = arena.allocate(layout.pageBytes(), ALIGNMENT);
        unallocatedPages--;
        return page;
    }

    /** Takes a state back, which its holder may not touch again. */
    void release(SequenceState state) {
        if (freeSlots.size() == slots) {
            throw new IllegalStateException("a state was released twice");
        }
        // The last one back is the next one out: its bytes are still in the caches.
        freeSlots.push(state.recurrent());
        state.pages().forEach(freePages::push);
    }

    /** Frees all memory. No step may be running or follow. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
