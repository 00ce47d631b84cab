package org.setun.sampling;

import java.util.SplittableRandom;

/**
 * Chooses tokens by their logits. Holds scratch for one vocabulary and nothing else, so one sampler serves all sequences of
 * a thread; for one thread at a time.
 *
 * <p>The order is temperature, then top-k, then top-p over what top-k kept, as in vLLM and Hugging Face transformers.
 * llama-server cuts first and applies the temperature last, so that its top-p ignores the temperature; the order here is
 * the one that OpenAI's clients are tuned with. The cuts keep the best tokens without sorting the vocabulary:
 * {@link BestFirst}.
 *
 * <p>The random number depends on the request's seed and the token's position in its sequence only. Recomputing a
 * sequence, cutting its prompt otherwise or running others beside it cannot change what is drawn.
 */
public final class Sampler {

    private final int vocabSize;
    private final double[] weights;
    private final int[] candidates;

    /** Creates a sampler for logits of {@code vocabSize} tokens. */
    public Sampler(int vocabSize) {
        this.vocabSize = vocabSize;
        this.weights = new double[vocabSize];
        this.candidates = new int[vocabSize];
    }

    /**
     * Chooses a token; of equally probable ones the lowest id comes first.
     *
     * @param logits the logits, {@code [rows, vocab]}; not changed
     * @param offset where the row to sample from starts
     * @param seed the request's seed, whatever {@link SamplingParameters#seed} says
     * @param position how many tokens the sequence has before this one
     * @throws IllegalArgumentException if a logit is not a number or positive infinity, or all are negative infinity
     */
    public SampledToken sample(float[] logits, int offset, SamplingParameters parameters, long seed, int position) {
        int best = mostProbable(logits, offset);
        float max = logits[offset + best];
        // log-softmax, summed in the order of ids: the same bits whatever else runs.
        double sum = weigh(logits, offset, max);
        int chosen = parameters.temperature() == 0
                ? best
                : draw(logits, offset, max, sum, parameters, uniform(seed, position));
        return new SampledToken(chosen, (float) ((double) logits[offset + chosen] - max - Math.log(sum)));
    }

    private int mostProbable(float[] logits, int offset) {
        int best = 0;
        for (int id = 0; id < vocabSize; id++) {
            float logit = logits[offset + id];
            if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("logit of token " + id + ": expected a number, found " + logit
                        + "; the checkpoint's weights or scales are damaged, or its architecture is not what it says");
            }
            if (logit > logits[offset + best]) {
                best = id;
            }
        }
        if (logits[offset + best] == Float.NEGATIVE_INFINITY) {
            throw new IllegalArgumentException("all " + vocabSize + " logits are negative infinity");
        }
        return best;
    }

    /** Sets the weights to the probabilities times a constant, and returns that constant. */
    private double weigh(float[] logits, int offset, float max) {
        double sum = 0;
        for (int id = 0; id < vocabSize; id++) {
            weights[id] = Math.exp((double) logits[offset + id] - max);
            sum += weights[id];
        }
        return sum;
    }

    private int draw(float[] logits, int offset, float max, double sum, SamplingParameters parameters, double uniform) {
        int kept = vocabSize;
        for (int id = 0; id < vocabSize; id++) {
            candidates[id] = id;
        }
        // A temperature keeps the order, so top-k may cut before it and save most of the exponentials.
        if (parameters.topK() > 0 && parameters.topK() < kept) {
            BestFirst.partition(logits, offset, candidates, kept, parameters.topK());
            kept = inOrderOfIds(logits, offset, parameters.topK());
        }
        double total = sum;
        if (parameters.temperature() != 1 || kept < vocabSize) {
            total = 0;
            for (int i = 0; i < kept; i++) {
                int id = candidates[i];
                weights[id] = Math.exp(((double) logits[offset + id] - max) / parameters.temperature());
                total += weights[id];
            }
        }
        if (parameters.topP() < 1) {
            int nucleus =
                    BestFirst.partitionByMass(logits, offset, candidates, kept, weights, parameters.topP() * total);
            kept = inOrderOfIds(logits, offset, nucleus);
            total = 0;
            for (int i = 0; i < kept; i++) {
                total += weights[candidates[i]];
            }
        }
        return pick(kept, uniform * total);
    }

    /**
     * Lays the {@code kept} first candidates out in the order of their ids. The partition leaves them in an order that
     * depends on all logits; in this one, a draw depends on the kept tokens only.
     */
    private int inOrderOfIds(float[] logits, int offset, int kept) {
        int last = BestFirst.last(logits, offset, candidates, kept);
        int count = 0;
        for (int id = 0; id < vocabSize; id++) {
            if (!BestFirst.precedes(logits, offset, last, id)) {
                candidates[count++] = id;
            }
        }
        return count;
    }

    /** Returns the candidate in which the running sum of weights passes {@code target}. */
    private int pick(int kept, double target) {
        double passed = 0;
        int chosen = candidates[0];
        for (int i = 0; i < kept; i++) {
            double weight = weights[candidates[i]];
            // A token without weight is never chosen, not even when rounding leaves the sum short of the target.
            if (weight > 0) {
                chosen = candidates[i];
                passed += weight;
                if (passed > target) {
                    break;
                }
            }
        }
        return chosen;
    }

    /** Returns a number of [0, 1) that is a function of both arguments and looks independent for each pair. */
    private static double uniform(long seed, int position) {
        // SplitMix64 scrambles a counter. The seed is scrambled before the position joins it, so that neighbouring
        // seeds
        // and positions do not meet; the multiplier, from L64X128's family (Steele and Vigna 2021), spreads positions
        // out.
        long start = new SplittableRandom(seed).nextLong() ^ (position * 0xD1342543DE82EF95L);
        return new SplittableRandom(start).nextDouble();
    }
}
