package org.setun.cli;

/**
 * How something is timed.
 *
 * @param phase what
 * @param batch how many sequences run together
 * @param sparsity the fraction of activations that every layer drops
 */
record BenchSetting(Phase phase, int batch, double sparsity) {

    /** What is timed. */
    enum Phase {
        PREFILL,
        DECODE
    }
}
