package org.setun.sampling;

import java.util.OptionalInt;
import java.util.SplittableRandom;

/**
 * Chooses tokens by their logits. Holds scratch for one vocabulary and nothing else, so one sampler serves all sequences of
 * a thread; for one thread at a time.
 *
 * <p>What is asked for happens in this order:
 *
 * <ol>
 *   <li>tokens that cannot be chosen: too early ends, banned words;
 *   <li>biases of single tokens ({@link TokenBias});
 *   <li>penalties: repetition, then frequency and presence ({@link Penalties});
 *   <li>penalties for continued repetitions ({@link Dry});
 *   <li>temperature; 0 ends here, with the most probable token;
 *   <li>mirostat, in place of all that follows ({@link Mirostat});
 *   <li>min-p, top-k, typical-p, top-p: each over what the one before kept ({@link Cuts});
 *   <li>the exclusion of top choices ({@link Xtc});
 *   <li>a temperature that follows the entropy of what is left ({@link DynamicTemperature}), in place of the one before;
 *   <li>the draw.
 * </ol>
 *
 * <p>So it is in vLLM ({@code v1/sample/sampler.py}) as far as that knows these: bans, bias, penalties, temperature, min-p,
 * top-k, top-p. What only llama-server has stands where it does there ({@code common/sampling.cpp}): DRY after the penalties,
 * typical-p between top-k and top-p, XTC and the dynamic temperature last, and mirostat without any cut. There, however, min-p
 * follows top-p, and the temperature comes last, so that the cuts ignore it; the order here is the one that OpenAI's clients are
 * tuned with, and Hugging Face transformers' too. And mirostat there knows no penalties, which here it does.
 *
 * <p>The cuts keep the best tokens without sorting the vocabulary: {@link BestFirst}. Without a cut, a token is the largest of all
 * logits with noise: {@link GumbelNoise}.
 *
 * <p>Random numbers depend on the request's seed and the token's position in its sequence only, and all else on the
 * sequence's own tokens and logits. Recomputing a sequence, cutting its prompt otherwise or running others beside it cannot change
 * what is drawn. Nor can it change anything that tokens are left out which the request cannot choose: where that is not
 * certain, nothing is chosen.
 */
public final class Sampler {

    private static final Drawn NOTHING = new Drawn(-1, Double.NEGATIVE_INFINITY);

    private final int vocabSize;
    private final double[] reaches;
    private final GumbelNoise noise;
    private final KeptTokens kept;
    private final LogitChanges changes;

    /** Creates a sampler for logits of {@code vocabSize} tokens. */
    public Sampler(int vocabSize) {
        this.vocabSize = vocabSize;
        this.noise = new GumbelNoise(vocabSize);
        this.reaches = new double[noise.blocks()];
        this.kept = new KeptTokens(vocabSize);
        this.changes = new LogitChanges(vocabSize);
    }

    /**
     * Chooses a sequence's next token; of equally probable ones the lowest id comes first.
     *
     * @param logits those of all tokens, or at least of those that the choice can fall on: of as many of the best as {@link
     *     SamplingParameters#candidates} says; else of those near enough to the best for min-p, or of those that may be among top-p
     * @param seed the request's seed, whatever {@link SamplingParameters#seed} says
     * @param history what there is of the sequence
     * @param state the sequence's own; learns of the choice
     * @return a token id; empty if the tokens without a logit might change the choice, never where all have one
     * @throws IllegalArgumentException if a logit is not a number or positive infinity, or all are negative infinity
     */
    public OptionalInt sample(
            Logits logits, SamplingParameters parameters, long seed, History history, SamplerState state) {
        Logits changed = logits;
        if (parameters.changesLogits() || !history.banned().isEmpty()) {
            if (logits.ids() != null && !areEnough(logits, parameters, history)) {
                return OptionalInt.empty();
            }
            changed = changes.apply(logits, parameters, history);
        }
        if (parameters.usesMirostat()) {
            return drawByMirostat(changed, parameters, uniform(seed, history.totalTokens()), state);
        }
        return choose(changed, parameters, seed, history.totalTokens());
    }

    /**
     * Chooses a token by parameters that do not look at the sequence: {@link #sample(Logits, SamplingParameters, long, History,
     * SamplerState)} without biases, penalties and mirostat.
     *
     * @param position how many tokens the sequence has before this one
     */
    public OptionalInt sample(Logits logits, SamplingParameters parameters, long seed, int position) {
        if (parameters.changesLogits() || parameters.usesMirostat()) {
            throw new IllegalArgumentException("expected parameters that need no history, found " + parameters);
        }
        return choose(logits, parameters, seed, position);
    }

    private boolean areEnough(Logits logits, SamplingParameters parameters, History history) {
        OptionalInt candidates = parameters.candidates(history.banned().size(), vocabSize);
        return candidates.isPresent() && logits.count() >= candidates.getAsInt();
    }

    private OptionalInt choose(Logits logits, SamplingParameters parameters, long seed, int position) {
        int best = mostProbable(logits);
        if (parameters.isGreedy()) {
            return OptionalInt.of(best);
        }
        if (parameters.narrows(vocabSize)) {
            return drawKept(logits, logits.of(best), parameters, random(seed, position));
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
            if (height + value < best.value() - KeptTokens.ROUNDING) {
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

    private OptionalInt drawByMirostat(
            Logits logits, SamplingParameters parameters, double uniform, SamplerState state) {
        if (logits.ids() != null) {
            return OptionalInt.empty();
        }
        kept.begin(logits);
        kept.weigh(logits.of(mostProbable(logits)), parameters.temperature());
        return OptionalInt.of(MirostatDraw.draw(kept, parameters.mirostat(), state, uniform));
    }

    /** Draws from the tokens that the cuts keep. */
    private OptionalInt drawKept(Logits logits, float max, SamplingParameters parameters, SplittableRandom random) {
        Cuts cuts = parameters.cuts();
        double temperature = parameters.cutTemperature();
        double uniform = random.nextDouble();
        kept.begin(logits);
        // Neither the temperature nor min-p changes the order or who is best, so top-k may come first and save most of
        // the
        // exponentials.
        kept.keepBest(cuts.topK() > 0 ? cuts.topK() : vocabSize);
        kept.weigh(max, temperature);
        double omitted = cuts.topK() > 0 && cuts.topK() <= kept.count()
                ? 0
                : logits.omitted().mass();
        if (cuts.minP() > 0) {
            kept.keepHeavier(cuts.minP());
            boolean heavierOmitted = Math.exp(((double) logits.omitted().below() - max) / temperature) >= cuts.minP();
            omitted = heavierOmitted ? omitted : 0;
        }
        if (cuts.typicalP() < 1) {
            if (omitted > 0) {
                return OptionalInt.empty();
            }
            kept.keepTypical(cuts.typicalP());
        }
        if (cuts.topP() < 1) {
            if (!kept.keepNucleus(cuts.topP(), omitted)) {
                return OptionalInt.empty();
            }
            omitted = 0;
        }
        if (omitted > 0) {
            return OptionalInt.empty();
        }
        // The second number of the position, so that whether there is an exclusion does not say what is drawn.
        if (parameters.xtc().isOn() && random.nextDouble() < parameters.xtc().probability()) {
            kept.excludeTopChoices(parameters.xtc().threshold());
        }
        if (parameters.dynamic().isOn()) {
            return OptionalInt.of(drawDynamic(logits, parameters, uniform));
        }
        return OptionalInt.of(kept.pick(uniform));
    }

    private int drawDynamic(Logits logits, SamplingParameters parameters, double uniform) {
        int best = kept.best();
        if (kept.count() == 1) {
            return best;
        }
        double entropy = Math.min(1, kept.entropy() / Math.log(kept.count()));
        double temperature = parameters.dynamic().at(parameters.temperature(), entropy);
        if (temperature == 0) {
            return best;
        }
        kept.weigh(logits.of(best), temperature);
        return kept.pick(uniform);
    }

    /** Returns a number of [0, 1) that is a function of both arguments and looks independent for each pair. */
    private static double uniform(long seed, int position) {
        return random(seed, position).nextDouble();
    }

    private static SplittableRandom random(long seed, int position) {
        return new SplittableRandom(GumbelNoise.place(seed, position));
    }
}
