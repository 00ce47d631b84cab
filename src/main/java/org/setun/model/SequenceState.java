package org.setun.model;

import java.lang.foreign.MemorySegment;

/**
 * One sequence's memory: everything that the network keeps of its past. A view of memory that the state pool owns; the
 * model writes to it in {@link Model#forward} only, and a copy of the bytes is a snapshot of the sequence.
 *
 * @param recurrent {@link StateLayout#recurrentBytes} bytes, 64-byte aligned, native byte order, opaque to all but the model
 */
public record SequenceState(MemorySegment recurrent) {

    /** Makes this the state of an empty sequence. */
    public void reset() {
        recurrent.fill((byte) 0);
    }
}
