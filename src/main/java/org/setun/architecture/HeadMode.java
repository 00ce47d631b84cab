package org.setun.architecture;

/**
 * How logits are computed where only the largest matter. Which tokens are chosen is the same for all modes.
 *
 * <p>A screened head is read row by row, and so is an embedding that is not also an unscreened head. If they are large, they stay in
 * the checkpoint's file: they are mapped, and take memory only where they are read.
 */
public enum HeadMode {
    /** Screened for heads of floats so large that reading them is a noticeable part of a step, else exact. */
    AUTO,

    /** All from the head as it is stored. */
    EXACT,

    /** Estimated from eight bits a weight, which are kept beside the head; the candidates then from the head as it is stored. */
    SCREENED;

    /** Matrices of fewer bytes stay in the caches, or nearly. */
    private static final long LARGE_BYTES = 32L << 20;

    /** Returns whether a float head of {@code headBytes} bytes is kept in eight bits a weight as well. */
    boolean screens(long headBytes) {
        return switch (this) {
            case AUTO -> headBytes >= LARGE_BYTES;
            case EXACT -> false;
            case SCREENED -> true;
        };
    }

    /** Returns whether an embedding stays in its file. */
    boolean mapsEmbedding(ModelSpec spec, FloatSource embedding, long bytes) {
        boolean rowsOnly = !(spec.head() instanceof ModelSpec.HeadSpec.Tied) || screens(bytes);
        return rowsOnly && embedding.canStayMapped() && (this == SCREENED || bytes >= LARGE_BYTES);
    }

    /** Returns whether a head of its own stays in its file. */
    boolean mapsHead(FloatSource head, long bytes) {
        return screens(bytes) && head.canStayMapped() && (this == SCREENED || bytes >= LARGE_BYTES);
    }
}
