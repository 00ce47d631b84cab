package org.setun.architecture;

/** Watches a checkpoint being read or written. Called by the thread that does it. */
@FunctionalInterface
public interface LoadProgress {

    /** Ignores everything. */
    LoadProgress NONE = (tensor, doneBytes, totalBytes) -> {};

    /**
     * Says that a tensor is done. The last call has {@code doneBytes == totalBytes}.
     *
     * @param tensor its name in Setun's own checkpoints
     * @param doneBytes the size of what is done
     * @param totalBytes the size of everything
     */
    void update(String tensor, long doneBytes, long totalBytes);
}
