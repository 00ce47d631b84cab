package org.setun.sampling;

/**
 * Exclude top choices: now and then takes away all tokens of at least {@code threshold} but the least probable of them, so that a
 * text leaves the beaten track where there is more than one good way on. As in llama-server, whose description is
 * pull request 6335 of oobabooga's text-generation-webui.
 *
 * @param probability that it happens to a token, 0 to 1; 0 for never
 * @param threshold 0 to 1; above 0.5 no two tokens can have as much, and nothing is taken away
 */
public record Xtc(double probability, double threshold) {

    /** Takes nothing away; the threshold is the anchor's default. */
    public static final Xtc OFF = new Xtc(0, 0.1);

    public Xtc {
        Range.require("xtc_probability", probability, 0, 1);
        Range.require("xtc_threshold", threshold, 0, 1);
    }

    boolean isOn() {
        return probability > 0 && threshold <= 0.5;
    }
}
