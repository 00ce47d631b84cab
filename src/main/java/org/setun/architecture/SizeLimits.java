package org.setun.architecture;

/**
 * The largest sizes that a configuration may state, far beyond all models, so that a damaged file is refused before
 * anything is allocated by it.
 */
final class SizeLimits {

    static final int VOCAB_SIZE = 1 << 24;
    static final int WIDTH = 1 << 20;
    static final int LAYERS = 1 << 12;
    static final int HEADS = 1 << 12;

    /** All heads together are no wider than {@link #WIDTH}. */
    static final int HEAD_DIM = WIDTH / HEADS;

    static final int TAPS = 1 << 10;

    /** Sub-keys a side: their square still is an int. */
    static final int SIDE_LENGTH = 1 << 15;

    private SizeLimits() {}
}
