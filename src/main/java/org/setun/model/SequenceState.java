package org.setun.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One sequence's memory: everything that the network keeps of its past. A view of memory that the state pool owns; the
 * model writes to it in {@link Model#forward} only, and a copy of the bytes is a snapshot of the sequence. All segments are
 * 64-byte aligned, in native byte order, and opaque to all but the model.
 *
 * @param recurrent {@link StateLayout#recurrentBytes} bytes
 * @param pages {@link StateLayout#pageBytes} bytes each, for all tokens that the sequence may come to have; what they held
 *     before does not matter
 */
public record SequenceState(MemorySegment recurrent, List<MemorySegment> pages) {

    private static final long ALIGNMENT = 64;

    public SequenceState {
        pages = List.copyOf(pages);
    }

    /** Allocates the memory of an empty sequence that may come to have {@code tokens} tokens. */
    public static SequenceState allocate(StateLayout layout, int tokens, Arena arena) {
        return new SequenceState(
                arena.allocate(layout.recurrentBytes(), ALIGNMENT),
                IntStream.range(0, layout.pages(tokens))
                        .mapToObj(page -> arena.allocate(layout.pageBytes(), ALIGNMENT))
                        .toList());
    }

    /** Makes this the state of an empty sequence. */
    public void reset() {
        recurrent.fill((byte) 0);
    }
}
