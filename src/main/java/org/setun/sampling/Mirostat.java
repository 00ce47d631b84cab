package org.setun.sampling;

/**
 * Keeps the surprise of a text, {@code -log2} of the probability of each of its tokens, near a target, by a limit {@code mu} that is
 * lowered by {@code eta * (surprise - tau)} after each token and begins at {@code 2 * tau} (Basu et al., arXiv 2007.14966).
 * Version 1 keeps the {@code k} most probable tokens, by an estimate of Zipf's exponent; version 2 keeps the tokens that surprise by
 * {@code mu} or less. The surprise of a token is that among the kept ones, as in llama-server.
 *
 * @param version 1 or 2; 0 for none
 * @param tau the target in bits, 0 to {@value #MAX_TAU}
 * @param eta the learning rate, 0 to 1
 */
public record Mirostat(int version, double tau, double eta) {

    /** The highest target; no vocabulary reaches it. */
    public static final double MAX_TAU = 100;

    /** No limit; target and rate are the anchor's defaults. */
    public static final Mirostat OFF = new Mirostat(0, 5, 0.1);

    public Mirostat {
        if (version < 0 || version > 2) {
            throw new IllegalArgumentException("mirostat: expected 0, 1 or 2, found " + version);
        }
        Range.require("mirostat_tau", tau, 0, MAX_TAU);
        Range.require("mirostat_eta", eta, 0, 1);
    }

    boolean isOn() {
        return version > 0;
    }
}
