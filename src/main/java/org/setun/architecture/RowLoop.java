package org.setun.architecture;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.WorkerPool;

/** A parallel loop over the rows of a matrix from a file that may turn out to be damaged. */
final class RowLoop {

    /** The body of the loop. */
    @FunctionalInterface
    interface Body {
        /** Does rows {@code [from, to)}. */
        void run(int from, int to) throws CheckpointFormatException;
    }

    /** What one part of the loop threw. */
    private record Failure(int from, CheckpointFormatException exception) {}

    private RowLoop() {}

    /**
     * Runs {@code body} on parts of {@code [0, rows)} that begin at multiples of {@code granularity}.
     *
     * @throws CheckpointFormatException the first part's, if several throw
     */
    static void run(WorkerPool workers, int rows, int granularity, Body body) throws CheckpointFormatException {
        AtomicReference<@Nullable Failure> first = new AtomicReference<>();
        workers.forRange(rows, granularity, (from, to) -> {
            try {
                body.run(from, to);
            } catch (CheckpointFormatException e) {
                Failure failure = new Failure(from, e);
                first.accumulateAndGet(failure, (a, b) -> a == null || (b != null && b.from < a.from) ? b : a);
            }
        });
        Failure failure = first.get();
        if (failure != null) {
            throw failure.exception;
        }
    }
}
