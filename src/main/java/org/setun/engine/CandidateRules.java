package org.setun.engine;

import java.util.OptionalInt;
import org.setun.model.CandidateRule;
import org.setun.sampling.Cuts;
import org.setun.sampling.GumbelNoise;
import org.setun.sampling.SamplingParameters;

/** Tells the model which tokens the sampler's choice can fall on. */
final class CandidateRules {

    /** A lower min-p keeps so many tokens that top-p, where there is one, tells more. */
    private static final double SELECTIVE_MIN_P = 1e-3;

    private CandidateRules() {}

    /**
     * Returns the rule for one choice.
     *
     * @param banned how many tokens cannot be chosen
     * @param seed the request's seed
     * @param position how many tokens the sequence has before the chosen one
     */
    static CandidateRule of(SamplingParameters sampling, int banned, int vocabSize, long seed, int position) {
        OptionalInt best = sampling.candidates(banned, vocabSize);
        if (best.isPresent()) {
            return new CandidateRule.Best(best.getAsInt());
        }
        if (banned > 0 || sampling.changesLogits() || sampling.usesMirostat()) {
            return new CandidateRule.All();
        }
        if (!sampling.narrows(vocabSize)) {
            GumbelNoise noise = new GumbelNoise(vocabSize);
            noise.begin(seed, position);
            return new CandidateRule.Perturbed(sampling.temperature(), new Perturbation(noise));
        }
        // All that follows min-p or top-p looks at what these kept.
        double temperature = sampling.cutTemperature();
        Cuts cuts = sampling.cuts();
        if (cuts.minP() >= SELECTIVE_MIN_P) {
            return new CandidateRule.Near(-temperature * Math.log(cuts.minP()));
        }
        return cuts.topP() < 1 && cuts.typicalP() == 1
                ? new CandidateRule.Nucleus(temperature, cuts.topP())
                : new CandidateRule.All();
    }

    /** The sampler's noise in the model's words. */
    private record Perturbation(GumbelNoise noise) implements CandidateRule.Noise {

        @Override
        public int block() {
            return GumbelNoise.BLOCK;
        }

        @Override
        public double largest(int index) {
            return noise.largest(index);
        }

        @Override
        public double of(int id) {
            return noise.of(id);
        }
    }
}
