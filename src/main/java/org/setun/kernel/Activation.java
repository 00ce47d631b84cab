package org.setun.kernel;

/** The nonlinearity of a gated MLP or an expert. */
public enum Activation {
    /** {@code x * sigmoid(x)}. */
    SILU,
    /** {@code max(0, x)^2}. */
    RELU2,
    /** {@code max(0, x)}. */
    RELU,
    /** {@code x * (1 + erf(x / sqrt(2))) / 2}, the exact form. */
    GELU
}
