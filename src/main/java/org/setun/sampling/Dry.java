package org.setun.sampling;

/**
 * Don't repeat yourself: a token that would continue a repetition, of the last {@code n} tokens of the sequence elsewhere in it, loses
 * {@code multiplier * base^(n - allowedLength)}; of several such repetitions the longest counts. As in llama-server, whose
 * description is pull request 5677 of oobabooga's text-generation-webui.
 *
 * @param multiplier 0 to {@value #MAX_MULTIPLIER}; 0 changes nothing
 * @param base 1 to {@value #MAX_BASE}
 * @param allowedLength the length of repetition, at least 1, whose continuation is penalised first
 * @param lastTokens how many of the last tokens count, of the prompt too; 0 for none of them
 * @param breakers what no repetition reaches across
 */
public record Dry(double multiplier, double base, int allowedLength, int lastTokens, SequenceBreakers breakers) {

    /** The largest multiplier. */
    public static final double MAX_MULTIPLIER = 100;

    /** The largest base. */
    public static final double MAX_BASE = 100;

    /** Changes nothing; the other values are the anchor's defaults. */
    public static final Dry OFF = new Dry(0, 1.75, 2, Integer.MAX_VALUE, SequenceBreakers.NONE);

    public Dry {
        Range.require("dry_multiplier", multiplier, 0, MAX_MULTIPLIER);
        Range.require("dry_base", base, 1, MAX_BASE);
        if (allowedLength < 1) {
            throw new IllegalArgumentException("dry_allowed_length: expected 1 or more, found " + allowedLength);
        }
        if (lastTokens < 0) {
            throw new IllegalArgumentException("dry_penalty_last_n: expected 0 or more, found " + lastTokens);
        }
    }

    /** Returns the same with other breakers. */
    public Dry withBreakers(SequenceBreakers other) {
        return new Dry(multiplier, base, allowedLength, lastTokens, other);
    }

    /** Returns whether it changes any logit. */
    public boolean isOn() {
        return multiplier > 0 && lastTokens > 0;
    }

    /** Returns what a token loses that would continue a repetition of {@code length} tokens. */
    double penalty(int length) {
        return multiplier * Math.pow(base, length - allowedLength);
    }
}
