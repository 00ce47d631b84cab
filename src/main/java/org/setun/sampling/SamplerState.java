package org.setun.sampling;

/**
 * What sampling remembers of a sequence beside its tokens: how much the next token may surprise, see {@link Mirostat}. It belongs to
 * the sequence from its first token to its last, also while the sequence's memory is taken away and its tokens computed again. For
 * one thread at a time.
 */
public final class SamplerState {

    private double maxSurprise = Double.NaN;

    /** Creates the state of a sequence without generated tokens. */
    public SamplerState() {}

    /** Returns how many bits the next token may surprise by. */
    double maxSurprise(Mirostat mirostat) {
        return Double.isNaN(maxSurprise) ? 2 * mirostat.tau() : maxSurprise;
    }

    /** Learns by how many bits the chosen token surprised. */
    void observe(Mirostat mirostat, double surprise) {
        maxSurprise = maxSurprise(mirostat) - mirostat.eta() * (surprise - mirostat.tau());
    }
}
