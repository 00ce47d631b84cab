package org.setun.architecture;

/** How logits are computed where only the largest matter. Which tokens are chosen is the same for all modes. */
public enum HeadMode {
    /** Screened for heads of floats so large that reading them is a noticeable part of a step, else exact. */
    AUTO,

    /** All from the head as it is stored. */
    EXACT,

    /** Estimated from eight bits a weight, which are kept beside the head; the candidates then from the head as it is stored. */
    SCREENED;

    /** Heads of fewer bytes stay in the caches, or nearly. */
    private static final long LARGE_BYTES = 32L << 20;

    /** Returns whether a float head of {@code headBytes} bytes is kept in eight bits a weight as well. */
    boolean screens(long headBytes) {
        return switch (this) {
            case AUTO -> headBytes >= LARGE_BYTES;
            case EXACT -> false;
            case SCREENED -> true;
        };
    }
}
