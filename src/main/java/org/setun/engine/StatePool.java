package org.setun.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.setun.model.StateLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory of all sequences, off the heap in one arena, which the pool owns: equal slots for the recurrent state of those that
 * run, and pages of keys and values, which are allocated when they are first needed, up to a budget. For one thread at a time, but
 * any thread may read and write what is taken.
 */
final class StatePool implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(StatePool.class);

    /** A cache line, so that sequences never share one, and the widest vector. */
    private static final long ALIGNMENT = 64;

    // Shared, since the kernel's worker threads write to the slots and another thread closes it.
    private final Arena arena = Arena.ofShared();
    private final StateLayout layout;
    private final ArrayDeque<MemorySegment> freeSlots = new ArrayDeque<>();
    private final ArrayDeque<Page> freePages = new ArrayDeque<>();
    private final int slots;
    private long unallocatedPages;
    private int usedPages;

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
        MemorySegment memory = allocateSlots(stride);
        for (int slot = 0; slot < slots; slot++) {
            freeSlots.add(memory.asSlice(slot * stride, layout.recurrentBytes(), ALIGNMENT));
        }
    }

    private MemorySegment allocateSlots(long stride) {
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

    /** Returns the number of slots. */
    int slots() {
        return slots;
    }

    /** Returns the number of slots that nobody holds. */
    int free() {
        return freeSlots.size();
    }

    /** Returns the number of pages that nobody holds. */
    long freePages() {
        return freePages.size() + unallocatedPages;
    }

    /** Lends a slot of zeros, the state of an empty sequence; there must be a free one. */
    MemorySegment takeSlot() {
        MemorySegment slot = freeSlots.pop();
        slot.fill((byte) 0);
        return slot;
    }

    /** Takes a slot back. */
    void giveBack(MemorySegment slot) {
        if (freeSlots.size() == slots) {
            throw new IllegalStateException("a slot was given back twice");
        }
        // The last one back is the next one out: its bytes are still in the caches.
        freeSlots.push(slot);
    }

    /** Lends a page with one holder, whatever it held before; null if none is free. */
    @Nullable
    Page takePage() {
        Page page = freePages.isEmpty() ? newPage() : freePages.pop();
        if (page != null) {
            page.hold();
        }
        return page;
    }

    private @Nullable Page newPage() {
        if (unallocatedPages == 0) {
            return null;
        }
        try {
            Page page = new Page(arena.allocate(layout.pageBytes(), ALIGNMENT));
            unallocatedPages--;
            return page;
        } catch (OutOfMemoryError e) {
            log.warn(
                    "The machine has no memory for {} more pages of {} bytes that the settings allow; going on without",
                    unallocatedPages,
                    layout.pageBytes(),
                    e);
            unallocatedPages = 0;
            return null;
        }
    }

    /** Notes that a running sequence is now among a page's holders. */
    void entered(Page page) {
        usedPages += page.enter() ? 1 : 0;
    }

    /** Notes that a running sequence will no longer be among a page's holders. */
    void left(Page page) {
        usedPages -= page.leave() ? 1 : 0;
    }

    /** Returns how many pages running sequences hold, each counted once. */
    int usedPages() {
        return usedPages;
    }

    /** Takes a page back from one of its holders. */
    void release(Page page) {
        if (page.drop()) {
            freePages.push(page);
        }
    }

    /** Frees all memory. No step may be running or follow. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
