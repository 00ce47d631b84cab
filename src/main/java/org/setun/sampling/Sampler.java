package org.setun.sampling;

import java.util.OptionalInt;
import java.util.SplittableRandom;

/**
 * Chooses tokens by their logits. Holds scratch for one vocabulary and nothing else, so one sampler serves all sequences of
 * a thread; for one thread at a time.
 *
 * <p>The order is temperature, then top-k, then top-p over what top-k kept, as in vLLM and Hugging Face transformers.
 * llama-server cuts first and applies the temperature last, so that its top-p ignores the temperature; the order here is
 * the one that OpenAI's clients are tuned with. The cuts keep the best tokens without sorting the vocabulary:
 * {@link BestFirst}. Without a cut, a token is the largest of all logits with noise: {@link GumbelNoise}.
 *
 * <p>Random numbers depend on the request's seed and the token's position in its sequence only. Recomputing a
 * sequence, cutting its prompt otherwise or running others beside it cannot change what is drawn. Nor can it change anything
 * that tokens are left out which the request cannot choose: where that is not certain, nothing is chosen.
 */
public final class Sampler {

    /**
     * How far, relatively, sums of weights may be from exact ones: more than the rounding of a million additions. Only within
     * it could the order of additions change which tokens reach top-p.
     */
    private static final double ROUNDING = 1e-9;

    private static final Drawn NOTHING = new Drawn(-1, Double.NEGATIVE_INFINITY);

    private final double[] weights;
    private final int[] candidates;
    private final double[] reaches;
    private final GumbelNoise noise;

    /** Creates a sampler for logits of {@code vocabSize} tokens. */
    public Sampler(int vocabSize) {
        this.weights = new double[vocabSize];
        this.candidates = new int[vocabSize];
        this.noise = new GumbelNoise(vocabSize);
        this.reaches = new double[noise.blocks()];
    }

    /**
     * Chooses a token; of equally probable ones the lowest id comes first.
     *
     * @param logits those of all tokens, or at least of those that the choice can fall on: one for temperature 0, top-k of them
     *     if there is a top-k, and else those that may be among top-p
     * @param seed the request's seed, whatever {@link SamplingParameters#seed} says
     * @param position how many tokens the sequence has before this one
     * @return a token id; empty if the tokens without a logit might change the choice, never where all have one
     * @throws IllegalArgumentException if a logit is not a number or positive infinity, or all are negative infinity
     */
    public OptionalInt sample(Logits logits, SamplingParameters parameters, long seed, int position) {
        int best = mostProbable(logits);
        if (parameters.temperature() == 0) {
            return OptionalInt.of(best);
        }
        if (parameters.cuts(weights.length)) {
            return drawKept(logits, logits.of(best), parameters, uniform(seed, position));
        }
        if (logits.omitted().mass() > 0) {
            return OptionalInt.empty();
        }
        noise.begin(seed, position);
        return OptionalInt.of(
                logits.ids() == null
                        ? drawFromAll(logits, logits.of(best), parameters.temperature())
                        : drawFromListed(logits, logits.of(best), parameters.temperature()));
    }

    /** Returns the token whose logit with noise is largest. A block is looked at no further than its largest logit can lead. */
    private int drawFromAll(Logits logits, float max, double temperature) {
        int first = 0;
        for (int block = 0; block < reaches.length; block++) {
            reaches[block] = ((double) max(logits, block) - max) / temperature + noise.largest(block);
            first = reaches[block] > reaches[first] ? block : first;
        }
        // The most promising block first: hardly another one can beat it.
        Drawn drawn = best(logits, first, max, temperature, NOTHING);
        for (int block = 0; block < reaches.length; block++) {
            if (block != first && reaches[block] >= drawn.value()) {
                drawn = best(logits, block, max, temperature, drawn);
            }
        }
        return drawn.id();
    }

    /** A token and its logit with noise. */
    private record Drawn(int id, double value) {

        Drawn or(int other, double otherValue) {
            boolean better = otherValue > value || (otherValue == value && other < id) || id < 0;
            return better ? new Drawn(other, otherValue) : this;
        }
    }

    private float max(Logits logits, int block) {
        float max = Float.NEGATIVE_INFINITY;
        int first = block * GumbelNoise.BLOCK;
        for (int id = first; id < first + noise.size(block); id++) {
            max = Math.max(max, logits.of(id));
        }
        return max;
    }

    private Drawn best(Logits logits, int block, float max, double temperature, Drawn drawn) {
        double height = reaches[block] - noise.largest(block);
        Drawn best = drawn;
        for (int rank = 0; rank < noise.size(block); rank++) {
            double value = noise.value(block, rank);
            // Lower by what the subtraction above may have rounded away.
            if (height + value < best.value() - ROUNDING) {
                break;
            }
            int id = noise.token(block, rank);
            best = best.or(id, ((double) logits.of(id) - max) / temperature + value);
        }
        return best;
    }

    private int drawFromListed(Logits logits, float max, double temperature) {
        Drawn drawn = NOTHING;
        for (int i = 0; i < logits.count(); i++) {
            int id = logits.id(i);
            drawn = drawn.or(id, ((double) logits.of(id) - max) / temperature + noise.of(id));
        }
        return drawn.id();
    }

    private static int mostProbable(Logits logits) {
        int best = logits.id(0);
        for (int i = 0; i < logits.count(); i++) {
            int id = logits.id(i);
            float logit = logits.of(id);
            if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("logit of token " + id + ": expected a number, found " + logit
                        + "; the checkpoint's weights or scales are damaged, or its architecture is not what it says");
            }
            if (logit > logits.of(best)) {
                best = id;
            }
        }
        if (logits.of(best) == Float.NEGATIVE_INFINITY) {
            throw new IllegalArgumentException("all " + logits.count() + " logits are negative infinity");
        }
        return best;
    }

    /** Draws from the tokens that the cuts keep. */
    private OptionalInt drawKept(Logits logits, float max, SamplingParameters parameters, double uniform) {
        int kept = logits.count();
        for (int i = 0; i < kept; i++) {
            candidates[i] = logits.id(i);
        }
        // A temperature keeps the order, so top-k may cut before it and save most of the exponentials.
        boolean cut = parameters.topK() > 0 && parameters.topK() < kept;
        if (cut) {
            BestFirst.partition(logits.values(), logits.offset(), candidates, kept, parameters.topK());
            kept = inOrderOfIds(logits, parameters.topK());
        }
        double total = weigh(logits, kept, max, parameters.temperature());
        double omitted = parameters.topK() > 0 && parameters.topK() <= kept
                ? 0
                : logits.omitted().mass();
        if (parameters.topP() < 1) {
            int nucleus = nucleus(logits, kept, parameters.topP(), total, omitted);
            if (nucleus == 0) {
                return OptionalInt.empty();
            }
            kept = inOrderOfIds(logits, nucleus);
            total = 0;
            for (int i = 0; i < kept; i++) {
                total += weights[candidates[i]];
            }
        }
        return OptionalInt.of(pick(kept, uniform * total));
    }

    /** Sets the candidates' weights to their probabilities times a constant, and returns their sum in the order of ids. */
    private double weigh(Logits logits, int kept, float max, double temperature) {
        double total = 0;
        for (int i = 0; i < kept; i++) {
            int id = candidates[i];
            weights[id] = Math.exp(((double) logits.of(id) - max) / temperature);
            total += weights[id];
        }
        return total;
    }

    /**
     * Moves the smallest set of best candidates that reaches {@code topP} to the front and returns its size; 0 if it depends on
     * what the omitted tokens weigh.
     */
    private int nucleus(Logits logits, int kept, double topP, double total, double omitted) {
        if (omitted == 0) {
            return BestFirst.partitionByMass(logits.values(), logits.offset(), candidates, kept, weights, topP * total);
        }
        double most = topP * (total + omitted) * (1 + ROUNDING);
        int largest = BestFirst.partitionByMass(logits.values(), logits.offset(), candidates, kept, weights, most);
        double least = topP * total * (1 - ROUNDING);
        int smallest = BestFirst.partitionByMass(logits.values(), logits.offset(), candidates, largest, weights, least);
        int last = BestFirst.last(logits.values(), logits.offset(), candidates, largest);
        boolean reached = most <= total * (1 - ROUNDING);
        boolean aboveOmitted = logits.of(last) >= logits.omitted().below();
        return reached && aboveOmitted && smallest == largest ? largest : 0;
    }

    /**
     * Lays the {@code kept} first candidates out in the order of their ids. The partition leaves them in an order that
     * depends on all logits; in this one, a draw depends on the kept tokens only.
     */
    private int inOrderOfIds(Logits logits, int kept) {
        int last = BestFirst.last(logits.values(), logits.offset(), candidates, kept);
        int count = 0;
        for (int i = 0; i < logits.count(); i++) {
            int id = logits.id(i);
            if (!BestFirst.precedes(logits.values(), logits.offset(), last, id)) {
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
        return new SplittableRandom(GumbelNoise.place(seed, position)).nextDouble();
    }
}
