package org.setun.cli;

import org.setun.kernel.WorkerPool;

/**
 * Workers that are more while a model is loaded than when it runs: {@link #threads} says from the first on how many they will be,
 * so that weights are laid out for those.
 */
final class LoadingWorkerPool implements WorkerPool {

    private final WorkerPool running;
    private final WorkerPool loading;
    private WorkerPool used;

    /**
     * Starts the threads. Who starts them closes this.
     *
     * @param threads how many share a loop after {@link #endLoading}
     * @param loadingThreads how many share it until then
     */
    LoadingWorkerPool(int threads, int loadingThreads) {
        running = WorkerPool.of(threads);
        loading = WorkerPool.of(loadingThreads);
        used = loading;
    }

    /** Ends the threads that only load. Not to be called within a loop. */
    void endLoading() {
        used = running;
        loading.close();
    }

    @Override
    public int threads() {
        return running.threads();
    }

    @Override
    public void forRange(int size, int granularity, RangeTask task) {
        used.forRange(size, granularity, task);
    }

    @Override
    public void close() {
        running.close();
        loading.close();
    }
}
