package org.setun.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.LongAdder;
import org.setun.tensor.HugePageArena;

/**
 * Memory like that of weights, which threads read in order, to measure how fast that can be done: no product whose weights lie in memory can be faster.
 * For one thread at a time. Who creates it closes it.
 */
public final class StreamingRead implements AutoCloseable {

    /** More than the last-level caches that two cores may share. */
    public static final long DEFAULT_BYTES = 512L << 20;

    /** A page, and enough for an inner loop that the compiler turns into vectors. */
    private static final int BLOCK = 4096;

    private final Arena arena = HugePageArena.ofShared();
    private final MemorySegment memory;

    /**
     * Allocates the memory and touches every page of it.
     *
     * @param bytes how much, a multiple of 4096 of at least 4096
     */
    public StreamingRead(long bytes) {
        if (bytes < BLOCK || bytes % BLOCK != 0) {
            throw new IllegalArgumentException("expected a multiple of " + BLOCK + " bytes, found " + bytes);
        }
        memory = arena.allocate(bytes, BLOCK);
        memory.fill((byte) 1);
    }

    /** Returns how much one call of {@link #read} reads. */
    public long bytes() {
        return memory.byteSize();
    }

    /** Reads all of the memory, each of the workers a contiguous part, and returns the sum of its longs. */
    public long read(WorkerPool workers) {
        LongAdder total = new LongAdder();
        workers.forRange(Math.toIntExact(bytes() / BLOCK), 1, (from, to) -> {
            long sum = 0;
            for (int block = from; block < to; block++) {
                sum += sum((long) block * BLOCK);
            }
            total.add(sum);
        });
        return total.sum();
    }

    private long sum(long at) {
        long sum = 0;
        for (int i = 0; i < BLOCK; i += Long.BYTES) {
            sum += memory.get(ValueLayout.JAVA_LONG, at + i);
        }
        return sum;
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
