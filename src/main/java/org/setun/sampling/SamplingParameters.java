package org.setun.sampling;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How the next token is chosen. {@link Sampler} says in which order these things happen.
 *
 * @param temperature 0 chooses the most probable token, 1 samples from the model's distribution
 * @param dynamic how the temperature follows the entropy
 * @param cuts which tokens a draw is limited to
 * @param xtc whether the most probable tokens are taken away
 * @param mirostat whether the surprise is controlled, in place of the cuts
 * @param penalties what tokens lose that are there already
 * @param dry what tokens lose that continue a repetition
 * @param bias what is added to the logits of some tokens
 * @param seed makes sampling repeatable; empty draws a fresh one for every request
 */
public record SamplingParameters(
        double temperature,
        DynamicTemperature dynamic,
        Cuts cuts,
        Xtc xtc,
        Mirostat mirostat,
        Penalties penalties,
        Dry dry,
        TokenBias bias,
        OptionalLong seed) {

    /** The choice of the most probable token. */
    public static final SamplingParameters GREEDY = new SamplingParameters(0, 0, 1, OptionalLong.empty());

    public SamplingParameters {
        Range.require("temperature", temperature, 0, 100);
    }

    /** Creates parameters that say no more than these. */
    public SamplingParameters(double temperature, int topK, double topP, OptionalLong seed) {
        this(
                temperature,
                DynamicTemperature.OFF,
                new Cuts(topK, topP, 0, 1),
                Xtc.OFF,
                Mirostat.OFF,
                Penalties.NONE,
                Dry.OFF,
                TokenBias.NONE,
                seed);
    }

    /** Returns how many of the most probable tokens are kept; 0 for all. */
    public int topK() {
        return cuts.topK();
    }

    /** Returns the probability that the kept tokens reach; 1 for all. */
    public double topP() {
        return cuts.topP();
    }

    /** Returns the same choice with a temperature that follows the entropy otherwise. */
    public SamplingParameters withDynamicTemperature(DynamicTemperature other) {
        return new SamplingParameters(temperature, other, cuts, xtc, mirostat, penalties, dry, bias, seed);
    }

    /** Returns the same choice with other cuts. */
    public SamplingParameters withCuts(Cuts other) {
        return new SamplingParameters(temperature, dynamic, other, xtc, mirostat, penalties, dry, bias, seed);
    }

    /** Returns the same choice with another exclusion of top choices. */
    public SamplingParameters withXtc(Xtc other) {
        return new SamplingParameters(temperature, dynamic, cuts, other, mirostat, penalties, dry, bias, seed);
    }

    /** Returns the same choice with another control of the surprise. */
    public SamplingParameters withMirostat(Mirostat other) {
        return new SamplingParameters(temperature, dynamic, cuts, xtc, other, penalties, dry, bias, seed);
    }

    /** Returns the same choice with other penalties. */
    public SamplingParameters withPenalties(Penalties other) {
        return new SamplingParameters(temperature, dynamic, cuts, xtc, mirostat, other, dry, bias, seed);
    }

    /** Returns the same choice with other penalties for repetitions. */
    public SamplingParameters withDry(Dry other) {
        return new SamplingParameters(temperature, dynamic, cuts, xtc, mirostat, penalties, other, bias, seed);
    }

    /** Returns the same choice with other biases. */
    public SamplingParameters withBias(TokenBias other) {
        return new SamplingParameters(temperature, dynamic, cuts, xtc, mirostat, penalties, dry, other, seed);
    }

    /** Returns the same choice with another seed. */
    public SamplingParameters withSeed(OptionalLong other) {
        return new SamplingParameters(temperature, dynamic, cuts, xtc, mirostat, penalties, dry, bias, other);
    }

    /** Returns whether the most probable token is chosen, and no other. */
    public boolean isGreedy() {
        return temperature == 0 && (mirostat.isOn() || !dynamic.isOn());
    }

    /** Returns whether mirostat decides what a draw is from. */
    public boolean usesMirostat() {
        return mirostat.isOn() && temperature > 0;
    }

    /** Returns whether a draw is from a part of the vocabulary, or at a temperature, that the logits decide on. */
    public boolean narrows(int vocabSize) {
        return cutsByRank(vocabSize) || cuts.minP() > 0 || cuts.typicalP() < 1 || xtc.isOn() || dynamic.isOn();
    }

    private boolean cutsByRank(int vocabSize) {
        return topP() < 1 || (topK() > 0 && topK() < vocabSize);
    }

    /** Returns whether tokens are chosen by other logits than the model's. */
    public boolean changesLogits() {
        return !bias.isEmpty() || penalties.areOn() || dry.isOn();
    }

    /**
     * Returns how many of the tokens with the largest logits the choice is certainly among, if that can be said without knowing the logits:
     * it can where one token or {@code topK} tokens remain and single tokens lose, but none gains. Each loser makes room for one more.
     *
     * @param banned how many tokens cannot be chosen this time
     */
    public OptionalInt candidates(int banned, int vocabSize) {
        boolean cutsByTopK = cuts.topK() > 0 && cuts.topK() < vocabSize;
        if (penalties.areOn() || dry.isOn() || usesMirostat() || bias.raises() || !(isGreedy() || cutsByTopK)) {
            return OptionalInt.empty();
        }
        return OptionalInt.of((isGreedy() ? 1 : cuts.topK()) + banned + bias.size());
    }

    /** Returns the temperature of the distribution that the cuts see: a dynamic one comes after them. */
    public double cutTemperature() {
        return dynamic.isOn() ? 1 : temperature;
    }
}
