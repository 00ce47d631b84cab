package org.setun.architecture;

import java.util.List;
import org.setun.architecture.RopeSpec.Scaling;
import org.setun.model.Rope;

/** Computes the frequencies of rotary positions as the transformers library does, in double precision. */
final class RopeFrequencies {

    /** Widens a ramp without width. */
    private static final double LEAST_RAMP = 0.001;

    private RopeFrequencies() {}

    /**
     * Returns the rotary positions of heads of {@code headDim} values: {@code f_j = theta^(-2j / headDim)} for {@code j} below
     * {@code headDim / 2}, divided by its factor, if there are factors, and then scaled: the order of llama.cpp.
     */
    static Rope of(RopeSpec rope, int headDim) {
        List<Double> factors = rope.freqFactors();
        float[] inverse = new float[headDim / 2];
        for (int j = 0; j < inverse.length; j++) {
            double base = 1 / Math.pow(rope.theta(), 2.0 * j / headDim);
            double frequency = factors.isEmpty() ? base : base / factors.get(j);
            inverse[j] = (float)
                    switch (rope.scaling()) {
                        case Scaling.None none -> frequency;
                        case Scaling.Linear linear -> frequency / linear.factor();
                        case Scaling.Llama3 llama3 -> scaled(llama3, frequency);
                        case Scaling.Yarn yarn -> scaled(yarn, rope.theta(), headDim, j, frequency);
                    };
        }
        return new Rope(inverse, rope.scaling() instanceof Scaling.Yarn yarn ? (float) yarn.attentionFactor() : 1);
    }

    private static double scaled(Scaling.Llama3 scaling, double frequency) {
        double turns = scaling.originalLength() * frequency / (2 * Math.PI);
        if (turns > scaling.highFreqFactor()) {
            return frequency;
        }
        if (turns < scaling.lowFreqFactor()) {
            return frequency / scaling.factor();
        }
        double share = (turns - scaling.lowFreqFactor()) / (scaling.highFreqFactor() - scaling.lowFreqFactor());
        return frequency * ((1 - share) / scaling.factor() + share);
    }

    private static double scaled(Scaling.Yarn scaling, double theta, int headDim, int j, double frequency) {
        double first = frequencyOfTurns(scaling, scaling.betaFast(), theta, headDim);
        double last = frequencyOfTurns(scaling, scaling.betaSlow(), theta, headDim);
        if (scaling.truncate()) {
            first = Math.floor(first);
            last = Math.ceil(last);
        }
        first = Math.max(first, 0);
        last = Math.min(last, headDim - 1);
        if (first == last) {
            last += LEAST_RAMP;
        }
        double ramp = Math.clamp((j - first) / (last - first), 0, 1);
        return frequency * ((1 - ramp) + ramp / scaling.factor());
    }

    /** Returns the index, not rounded, of the frequency that turns {@code turns} times within the original length. */
    private static double frequencyOfTurns(Scaling.Yarn scaling, double turns, double theta, int headDim) {
        return headDim * Math.log(scaling.originalLength() / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }
}
