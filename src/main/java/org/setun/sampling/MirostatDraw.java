package org.setun.sampling;

/** Draws a token so that the surprise of a text stays near its target: see {@link Mirostat}. */
final class MirostatDraw {

    /** How many of the most probable tokens Zipf's exponent is estimated from. */
    private static final int ESTIMATED_FROM = 100;

    private MirostatDraw() {}

    /**
     * Draws a token and learns from it.
     *
     * @param kept all tokens, weighed
     * @param uniform a random number of [0, 1)
     */
    static int draw(KeptTokens kept, Mirostat mirostat, SamplerState state, double uniform) {
        double maxSurprise = state.maxSurprise(mirostat);
        if (mirostat.version() == 1) {
            int vocabSize = kept.count();
            kept.keepBest(Math.max(1, size(zipfExponent(kept), maxSurprise, vocabSize)));
            kept.sumUp();
        } else {
            kept.keepUnsurprising(maxSurprise);
        }
        int drawn = kept.pick(uniform);
        state.observe(mirostat, -KeptTokens.log2(kept.probability(drawn)));
        return drawn;
    }

    /** Estimates the exponent {@code s} of {@code p ~ rank^-s} by least squares over neighbouring ranks, as algorithm 1 of the paper. */
    private static double zipfExponent(KeptTokens kept) {
        int[] ranking = kept.ranking(ESTIMATED_FROM);
        double products = 0;
        double squares = 0;
        for (int i = 0; i + 1 < ranking.length && kept.probability(ranking[i + 1]) > 0; i++) {
            double t = Math.log((i + 2.0) / (i + 1));
            double b = Math.log(kept.probability(ranking[i]) / kept.probability(ranking[i + 1]));
            products += t * b;
            squares += t * t;
        }
        return products / squares;
    }

    /** Returns how many tokens of such a distribution surprise by {@code maxSurprise} or less, as algorithm 1 of the paper. */
    private static int size(double exponent, double maxSurprise, int vocabSize) {
        double epsilon = exponent - 1;
        double base = epsilon * Math.pow(2, maxSurprise) / (1 - Math.pow(vocabSize, -epsilon));
        return (int) Math.pow(base, 1 / exponent);
    }
}
