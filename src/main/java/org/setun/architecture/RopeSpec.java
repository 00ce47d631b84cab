package org.setun.architecture;

import java.util.List;

/**
 * Rotary positions: the base of the frequencies, and how they are scaled to lengths beyond those of the training.
 *
 * @param theta the base
 * @param freqFactors divide the frequencies before they are scaled, one for each; empty where nothing does
 * @param scaling of the frequencies
 */
record RopeSpec(double theta, List<Double> freqFactors, Scaling scaling) {

    /** The least factor of a frequency: the quotient is finite. */
    static final double MIN_FREQ_FACTOR = 1e-6;

    static final double MAX_FREQ_FACTOR = Float.MAX_VALUE;

    RopeSpec {
        freqFactors = List.copyOf(freqFactors);
    }

    /** Returns unscaled rotary positions. */
    static RopeSpec of(double theta) {
        return new RopeSpec(theta, List.of(), new Scaling.None());
    }

    /** Returns these positions with the frequencies divided. */
    RopeSpec dividedBy(List<Double> factors) {
        return new RopeSpec(theta, factors, scaling);
    }

    /** A scaling, named as in configurations. */
    sealed interface Scaling {

        /** Frequencies as they are. */
        record None() implements Scaling {}

        /**
         * All frequencies divided by one factor.
         *
         * @param factor the divisor
         */
        record Linear(double factor) implements Scaling {}

        /**
         * Low frequencies divided by a factor, high ones as they are, those between blended, as Llama 3.1 has it.
         *
         * @param factor the divisor
         * @param lowFreqFactor turns within the original length below which a frequency is divided
         * @param highFreqFactor turns within the original length above which a frequency stays; more than the low ones
         * @param originalLength tokens that the model was trained for before its frequencies were scaled
         */
        record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalLength)
                implements Scaling {}

        /**
         * YaRN (arXiv 2309.00071): a ramp over the frequencies' turns within the original length, and a factor of cosine and
         * sine.
         *
         * @param factor the divisor of the lowest frequencies
         * @param betaFast turns within the original length above which a frequency stays
         * @param betaSlow turns within the original length below which a frequency is divided
         * @param truncate whether the ends of the ramp are rounded to whole frequencies
         * @param attentionFactor multiplies cosine and sine
         * @param originalLength tokens that the model was trained for before its frequencies were scaled
         */
        record Yarn(
                double factor,
                double betaFast,
                double betaSlow,
                boolean truncate,
                double attentionFactor,
                int originalLength)
                implements Scaling {}
    }
}
