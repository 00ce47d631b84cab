package org.setun;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.StreamingRead;
import org.setun.kernel.WorkerPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;

/**
 * Measures once how fast the machine's memory can be read, on a thread of its own once the server is ready and idle: a third of a
 * second in which a request would be slower.
 */
final class MemoryBandwidth implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(MemoryBandwidth.class);

    /** More than the caches of a few cores, which are to be of no help. */
    private static final long MOST_BYTES = 256L << 20;

    /** What a small machine can spare for a moment; its few cores have small caches. */
    private static final long LEAST_BYTES = 64L << 20;

    private static final int PART_OF_MEMORY = 16;
    private static final int READS = 5;
    private static final int RETRY_SECONDS = 1;

    private final int threads;
    private final BooleanSupplier idle;
    private volatile double bytesPerSecond = Double.NaN;
    private @Nullable ScheduledExecutorService executor;
    private @Nullable Future<?> tries;

    /**
     * Measures nothing yet.
     *
     * @param threads how many read
     * @param idle whether nobody waits for an answer
     */
    MemoryBandwidth(int threads, BooleanSupplier idle) {
        this.threads = threads;
        this.idle = idle;
    }

    /** Begins to wait for a quiet moment. */
    @EventListener(ApplicationReadyEvent.class)
    synchronized void begin() {
        executor = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("setun-bandwidth").daemon().factory());
        tries = executor.scheduleWithFixedDelay(this::tryOnce, RETRY_SECONDS, RETRY_SECONDS, TimeUnit.SECONDS);
    }

    private void tryOnce() {
        if (!idle.getAsBoolean()) {
            return;
        }
        try {
            double measured = measure();
            if (!Double.isNaN(measured)) {
                bytesPerSecond = measured;
                close();
            }
        } catch (OutOfMemoryError e) {
            log.warn("The memory's bandwidth was not measured: there is not enough memory free for it");
            close();
        }
    }

    /** Returns the best of several reads; not a number if a request came in between. */
    double measure() {
        try (StreamingRead memory = new StreamingRead(bytes());
                WorkerPool workers = WorkerPool.of(threads)) {
            double best = Double.NaN;
            for (int read = 0; read < READS; read++) {
                if (!idle.getAsBoolean()) {
                    return Double.NaN;
                }
                long start = System.nanoTime();
                memory.read(workers);
                double rate = memory.bytes() * 1e9 / (System.nanoTime() - start);
                best = Double.isNaN(best) ? rate : Math.max(best, rate);
            }
            return best;
        }
    }

    private static long bytes() {
        // What a container may use, where there is one.
        long all = ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : 0;
        return Math.clamp(all / PART_OF_MEMORY, LEAST_BYTES, MOST_BYTES) / LEAST_BYTES * LEAST_BYTES;
    }

    /** Returns the bytes a second that all threads together read; not a number until that has been measured. */
    double bytesPerSecond() {
        return bytesPerSecond;
    }

    @Override
    public synchronized void close() {
        if (executor != null && tries != null) {
            tries.cancel(false);
            executor.shutdown();
        }
    }
}
