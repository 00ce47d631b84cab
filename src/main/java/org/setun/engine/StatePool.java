package org.setun.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;

/**
 * The memory of all running sequences: equal off-heap slots in one arena, which the pool owns. For one thread at a time, but
 * any thread may read and write a slot while it is held.
 */
final class StatePool implements AutoCloseable {

    /** A cache line, so that sequences never share one, and the widest vector. */
    private static final long ALIGNMENT = 64;

    // Shared, since the kernel's worker threads write to the slots and another thread closes it.
    private final Arena arena = Arena.ofShared();
    private final ArrayDeque<SequenceState> free = new ArrayDeque<>();
    private final int slots;

    StatePool(StateLayout layout, int slots) {
        this.slots = slots;
        long stride = (layout.recurrentBytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        MemorySegment memory = allocate(stride);
        for (int slot = 0; slot < slots; slot++) {
            free.add(new SequenceState(memory.asSlice(slot * stride, layout.recurrentBytes(), ALIGNMENT)));
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
        return free.size();
    }

    /** Lends the state of an empty sequence; a slot must be free. */
    SequenceState acquire() {
        SequenceState state = free.pop();
        state.reset();
        return state;
    }

    /** Takes a state back, which its holder may not touch again. */
    void release(SequenceState state) {
        if (free.size() == slots) {
            throw new IllegalStateException("a state was released twice");
        }
        // The last one back is the next one out: its bytes are still in the caches.
        free.push(state);
    }

    /** Frees all slots' memory. No step may be running or follow. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
