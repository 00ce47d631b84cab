package org.setun.engine;

import org.setun.model.CandidateRule;
import org.setun.sampling.GumbelNoise;
import org.setun.sampling.SamplingParameters;

/** Tells the model which tokens the sampler's choice can fall on. */
final class CandidateRules {

    private CandidateRules() {}

    /**
     * Returns the rule for one choice.
     *
     * @param seed the request's seed
     * @param position how many tokens the sequence has before the chosen one
     */
    static CandidateRule of(SamplingParameters sampling, int vocabSize, long seed, int position) {
        if (sampling.temperature() == 0) {
            return new CandidateRule.Best(1);
        }
        if (!sampling.cuts(vocabSize)) {
            GumbelNoise noise = new GumbelNoise(vocabSize);
            noise.begin(seed, position);
            return new CandidateRule.Perturbed(sampling.temperature(), new Perturbation(noise));
        }
        return sampling.topK() > 0
                ? new CandidateRule.Best(sampling.topK())
                : new CandidateRule.Nucleus(sampling.temperature(), sampling.topP());
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
