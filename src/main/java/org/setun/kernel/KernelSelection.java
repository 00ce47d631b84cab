package org.setun.kernel;

/** Chooses the kernels for this machine, once, at start. */
public final class KernelSelection {

    static final String SCALAR = "scalar";

    private KernelSelection() {}

    /** Returns the kernels and starts {@code threads} threads; the caller closes the worker pool. */
    public static Kernels select(String requested, int threads) {
        return new Kernels(new ScalarTernaryKernel(), new ScalarFloatKernel(), WorkerPool.of(threads));
    }
}
