package org.setun.tokenizer;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The rendering that runs on this thread: what it may still take, and why it must stop. */
final class Rendering {

    static final ScopedValue<Rendering> CURRENT = ScopedValue.newInstance();

    /** Ends a rendering at once. An error because the template engine catches exceptions and goes on. */
    static final class Stopped extends Error {

        private static final long serialVersionUID = 1;

        private final String reason;

        Stopped(String reason) {
            super(reason, null, false, false);
            this.reason = reason;
        }

        String reason() {
            return reason;
        }
    }

    private static final @Nullable ThreadMXBean THREADS =
            ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean
                            && bean.isThreadAllocatedMemorySupported()
                            && bean.isThreadAllocatedMemoryEnabled()
                    ? bean
                    : null;

    private final Duration time;
    private final long start = System.nanoTime();
    private final long allocation;
    private final long allocatedBefore = allocated();
    private @Nullable String stopReason;

    /**
     * Begins a rendering on this thread.
     *
     * @param time how long it may run
     * @param allocation how many bytes it may allocate, where the JVM counts them
     */
    Rendering(Duration time, long allocation) {
        this.time = time;
        this.allocation = allocation;
    }

    private static long allocated() {
        return THREADS == null ? 0 : THREADS.getCurrentThreadAllocatedBytes();
    }

    /** Makes the rendering end at its next step; the first reason counts. */
    void stop(String reason) {
        if (stopReason == null) {
            stopReason = reason;
        }
    }

    /** Ends the rendering if it must. Called at every step of the template. */
    void check() {
        if (System.nanoTime() - start > time.toNanos()) {
            stop("the chat template ran for more than " + time.toMillis() + " ms");
        }
        if (allocated() - allocatedBefore > allocation) {
            stop("the chat template took more than " + (allocation >> 20) + " MiB of memory");
        }
        if (stopReason != null) {
            throw new Stopped(stopReason);
        }
    }
}
