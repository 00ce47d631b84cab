package org.setun.architecture;

/** Which activation codes the ternary linears of a layer keep. */
sealed interface SparsitySpec {

    /** All of them. */
    record Dense() implements SparsitySpec {}

    /**
     * The largest of the whole vector.
     *
     * @param ratio the kept fraction
     */
    record TopK(double ratio) implements SparsitySpec {}

    /**
     * The {@code n} largest of every run of {@code m}.
     *
     * @param n how many are kept
     * @param m out of how many
     */
    record BlockTopK(int n, int m) implements SparsitySpec {}
}
