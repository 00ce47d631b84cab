package org.setun.sampling;

import java.util.OptionalLong;

/**
 * How the next token is chosen.
 *
 * @param temperature 0 chooses the most probable token, 1 samples from the model's distribution
 * @param topK keeps the {@code topK} most probable tokens; 0 keeps all
 * @param topP keeps the smallest set of most probable tokens whose probability reaches {@code topP}; 1 keeps all
 * @param seed makes sampling repeatable; empty draws a fresh one for every request
 */
public record SamplingParameters(double temperature, int topK, double topP, OptionalLong seed) {

    /** The choice of the most probable token. */
    public static final SamplingParameters GREEDY = new SamplingParameters(0, 0, 1, OptionalLong.empty());

    public SamplingParameters {
        if (!(temperature >= 0) || temperature > 100) {
            throw new IllegalArgumentException("temperature: expected 0 to 100, found " + temperature);
        }
        if (topK < 0) {
            throw new IllegalArgumentException("top_k: expected 0 or more, found " + topK);
        }
        if (!(topP > 0) || topP > 1) {
            throw new IllegalArgumentException("top_p: expected more than 0 and at most 1, found " + topP);
        }
    }

    /** Returns whether there are tokens of a vocabulary that top-k or top-p keep out of a draw. */
    public boolean cuts(int vocabSize) {
        return topP < 1 || (topK > 0 && topK < vocabSize);
    }
}
