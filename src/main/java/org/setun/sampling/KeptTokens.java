package org.setun.sampling;

/**
 * The tokens that a draw can fall on, in the order of their ids, and their probabilities up to a constant. Cut after cut leaves fewer of
 * them. What remains, and what is drawn, depends on the tokens' logits only and not on what was cut before. For one thread at a time.
 */
final class KeptTokens {

    /**
     * How far, relatively, sums of weights may be from exact ones: more than the rounding of a million additions. Only within
     * it could the order of additions change which tokens reach top-p.
     */
    static final double ROUNDING = 1e-9;

    private final int[] ids;
    private final int[] ranked;
    private final double[] weights;
    private final float[] typicality;
    private Logits logits = Logits.all(new float[1], 0, 1);
    private int count;
    private double total;

    KeptTokens(int vocabSize) {
        this.ids = new int[vocabSize];
        this.ranked = new int[vocabSize];
        this.weights = new double[vocabSize];
        this.typicality = new float[vocabSize];
    }

    /** Begins with all tokens that have a logit. */
    void begin(Logits row) {
        logits = row;
        count = row.count();
        for (int i = 0; i < count; i++) {
            ids[i] = row.id(i);
        }
    }

    int count() {
        return count;
    }

    /** Sets the tokens' weights to {@code exp((logit - max) / temperature)}. What follows needs them, but for {@link #keepBest}. */
    void weigh(float max, double temperature) {
        total = 0;
        for (int i = 0; i < count; i++) {
            int id = ids[i];
            weights[id] = Math.exp(((double) logits.of(id) - max) / temperature);
            total += weights[id];
        }
    }

    /** Makes probabilities of the weights of what is kept; after {@link #keepBest}, the other cuts do it themselves. */
    void sumUp() {
        total = 0;
        for (int i = 0; i < count; i++) {
            total += weights[ids[i]];
        }
    }

    /** Returns the probability of a kept token among the kept ones. */
    double probability(int id) {
        return weights[id] / total;
    }

    /** Keeps the {@code k} best tokens. */
    void keepBest(int k) {
        if (k < count) {
            rank();
            BestFirst.partition(logits.values(), logits.offset(), ranked, count, k);
            keepThrough(logits.values(), logits.offset(), k);
        }
    }

    /** Keeps the tokens with a weight of {@code least} or more; the best one weighs 1. */
    void keepHeavier(double least) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (weights[ids[i]] >= least) {
                ids[kept++] = ids[i];
            }
        }
        count = kept;
        sumUp();
    }

    /**
     * Keeps the smallest set of best tokens that reaches {@code topP}.
     *
     * @param omitted at least what the tokens without a logit weigh that would else be kept
     * @return false if the set depends on them
     */
    boolean keepNucleus(double topP, double omitted) {
        rank();
        int nucleus = nucleus(topP, omitted);
        if (nucleus == 0) {
            return false;
        }
        keepThrough(logits.values(), logits.offset(), nucleus);
        sumUp();
        return true;
    }

    private int nucleus(double topP, double omitted) {
        if (omitted == 0) {
            return BestFirst.partitionByMass(logits.values(), logits.offset(), ranked, count, weights, topP * total);
        }
        double most = topP * (total + omitted) * (1 + ROUNDING);
        int largest = BestFirst.partitionByMass(logits.values(), logits.offset(), ranked, count, weights, most);
        double least = topP * total * (1 - ROUNDING);
        int smallest = BestFirst.partitionByMass(logits.values(), logits.offset(), ranked, largest, weights, least);
        int last = BestFirst.last(logits.values(), logits.offset(), ranked, largest);
        boolean reached = most <= total * (1 - ROUNDING);
        boolean aboveOmitted = logits.of(last) >= logits.omitted().below();
        return reached && aboveOmitted && smallest == largest ? largest : 0;
    }

    /**
     * Keeps the smallest set of most typical tokens that reaches {@code typicalP}. The more typical token is that whose
     * {@code -ln p} differs less from the entropy, in single precision, and of equal ones that with the lower id.
     */
    void keepTypical(double typicalP) {
        double entropy = entropy();
        for (int i = 0; i < count; i++) {
            typicality[ids[i]] = (float) -Math.abs(-Math.log(probability(ids[i])) - entropy);
        }
        rank();
        keepThrough(typicality, 0, BestFirst.partitionByMass(typicality, 0, ranked, count, weights, typicalP * total));
        sumUp();
    }

    /** Takes away all tokens of {@code threshold} or more, but for the least probable of them. */
    void excludeTopChoices(double threshold) {
        int choices = 0;
        int last = -1;
        for (int i = 0; i < count; i++) {
            if (isChoice(ids[i], threshold)) {
                last = choices++ == 0 || precedes(last, ids[i]) ? ids[i] : last;
            }
        }
        if (choices < 2) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (ids[i] == last || !isChoice(ids[i], threshold)) {
                ids[kept++] = ids[i];
            }
        }
        count = kept;
        sumUp();
    }

    private boolean isChoice(int id, double threshold) {
        return weights[id] > 0 && weights[id] >= threshold * total;
    }

    /** Keeps the tokens that surprise by {@code bits} or less; the best one if there are none. */
    void keepUnsurprising(double bits) {
        int best = best();
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (-log2(probability(ids[i])) <= bits) {
                ids[kept++] = ids[i];
            }
        }
        if (kept == 0) {
            ids[kept++] = best;
        }
        count = kept;
        sumUp();
    }

    /** Returns the entropy of the kept tokens in nats. */
    double entropy() {
        double entropy = 0;
        for (int i = 0; i < count; i++) {
            double probability = probability(ids[i]);
            // A token without weight adds nothing.
            if (probability > 0) {
                entropy -= probability * Math.log(probability);
            }
        }
        return entropy;
    }

    /** Returns the best of the kept tokens. */
    int best() {
        int best = ids[0];
        for (int i = 1; i < count; i++) {
            if (precedes(ids[i], best)) {
                best = ids[i];
            }
        }
        return best;
    }

    /** Returns the {@code k} best tokens, the best first, or all if there are fewer. */
    int[] ranking(int k) {
        int size = Math.min(k, count);
        rank();
        BestFirst.partition(logits.values(), logits.offset(), ranked, count, size);
        int[] ranking = new int[size];
        for (int i = 0; i < size; i++) {
            int place = i;
            for (; place > 0 && precedes(ranked[i], ranking[place - 1]); place--) {
                ranking[place] = ranking[place - 1];
            }
            ranking[place] = ranked[i];
        }
        return ranking;
    }

    /** Returns the token in which the running sum of weights passes {@code uniform}, of [0, 1), of their total. */
    int pick(double uniform) {
        double target = uniform * total;
        double passed = 0;
        int chosen = ids[0];
        for (int i = 0; i < count; i++) {
            double weight = weights[ids[i]];
            // A token without weight is never chosen, not even when rounding leaves the sum short of the target.
            if (weight > 0) {
                chosen = ids[i];
                passed += weight;
                if (passed > target) {
                    break;
                }
            }
        }
        return chosen;
    }

    static double log2(double value) {
        return Math.log(value) / Math.log(2);
    }

    private boolean precedes(int a, int b) {
        return BestFirst.precedes(logits.values(), logits.offset(), a, b);
    }

    private void rank() {
        System.arraycopy(ids, 0, ranked, 0, count);
    }

    /** Keeps those of the {@code kept} first ranked tokens, in the order of their ids: the ranking leaves them in none. */
    private void keepThrough(float[] keys, int offset, int kept) {
        int last = BestFirst.last(keys, offset, ranked, kept);
        int left = 0;
        for (int i = 0; i < count; i++) {
            if (!BestFirst.precedes(keys, offset, last, ids[i])) {
                ids[left++] = ids[i];
            }
        }
        count = left;
    }
}
