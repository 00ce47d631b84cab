package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

final class LoadingWorkerPoolTest {

    @Test
    void loopsAreSplitAmongMoreThreadsUntilLoadingEnds() {
        try (LoadingWorkerPool workers = new LoadingWorkerPool(2, 3)) {
            assertThat(workers.threads()).isEqualTo(2);
            assertThat(parts(workers)).isEqualTo(3);
            workers.endLoading();
            assertThat(workers.threads()).isEqualTo(2);
            assertThat(parts(workers)).isEqualTo(2);
        }
    }

    @Test
    void nothingRunsOnceItIsClosed() {
        LoadingWorkerPool workers = new LoadingWorkerPool(1, 2);
        workers.close();
        workers.close();
        assertThatThrownBy(() -> parts(workers)).hasMessage("the worker pool is closed");
        workers.endLoading();
        assertThatThrownBy(() -> parts(workers)).hasMessage("the worker pool is closed");
    }

    /** Runs a loop and returns how many parts it was split into. */
    private static int parts(LoadingWorkerPool workers) {
        AtomicInteger parts = new AtomicInteger();
        AtomicIntegerArray done = new AtomicIntegerArray(100);
        workers.forRange(done.length(), 1, (from, to) -> {
            parts.incrementAndGet();
            for (int i = from; i < to; i++) {
                done.incrementAndGet(i);
            }
        });
        for (int i = 0; i < done.length(); i++) {
            assertThat(done.get(i)).isEqualTo(1);
        }
        return parts.get();
    }
}
