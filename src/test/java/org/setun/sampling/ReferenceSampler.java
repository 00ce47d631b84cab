package org.setun.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The definition of how a token is chosen, word by word and without regard to time: everything is sorted, and every token is compared
 * with every place of the sequence.
 */
final class ReferenceSampler {

    private final SamplingParameters parameters;
    private final List<List<Integer>> breakers;
    private final long seed;
    private double mu;

    /** Creates the sampler of one sequence; {@code breakers} are those of the parameters. */
    ReferenceSampler(SamplingParameters parameters, List<List<Integer>> breakers, long seed) {
        this.parameters = parameters;
        this.breakers = breakers;
        this.seed = seed;
        this.mu = 2 * parameters.mirostat().tau();
    }

    /** Chooses the token that follows {@code prompt} and {@code answer}. */
    int sample(float[] logits, List<Integer> prompt, List<Integer> answer, Set<Integer> banned) {
        List<Integer> all = new ArrayList<>(prompt);
        all.addAll(answer);
        float[] changed = changed(logits, prompt.size(), all, banned);
        List<Integer> ranking =
                ranking(IntStream.range(0, changed.length).boxed().toList(), id -> changed[id]);
        boolean mirostat = parameters.mirostat().version() > 0;
        if (parameters.temperature() == 0 && (mirostat || parameters.dynamic().range() == 0)) {
            return ranking.getFirst();
        }
        SplittableRandom random = new SplittableRandom(GumbelNoise.place(seed, all.size()));
        double uniform = random.nextDouble();
        double coin = random.nextDouble();
        if (mirostat) {
            return drawByMirostat(changed, ranking, uniform);
        }
        List<Integer> kept = cut(changed, ranking, coin);
        return pick(kept, probabilities(changed, kept, temperature(changed, kept)), uniform);
    }

    /** Returns the logits after bans, biases and penalties. */
    float[] changed(float[] logits, int promptTokens, List<Integer> all, Set<Integer> banned) {
        float[] changed = logits.clone();
        ban(changed, all.subList(promptTokens, all.size()), banned);
        parameters.bias().byId().forEach((id, bias) -> changed[id] += bias);
        penalise(changed, promptTokens, all);
        penaliseRepetitions(changed, all);
        return changed;
    }

    private void ban(float[] logits, List<Integer> answer, Set<Integer> banned) {
        banned.forEach(id -> logits[id] = Float.NEGATIVE_INFINITY);
        for (List<Integer> word : parameters.bias().bannedWords()) {
            List<Integer> withLast = new ArrayList<>(answer);
            withLast.add(word.getLast());
            if (lastOf(withLast, word.size()).equals(word)) {
                logits[word.getLast()] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    private static List<Integer> lastOf(List<Integer> tokens, int count) {
        return tokens.subList(tokens.size() - Math.min(count, tokens.size()), tokens.size());
    }

    private void penalise(float[] logits, int promptTokens, List<Integer> all) {
        Penalties penalties = parameters.penalties();
        OptionalInt last = penalties.lastTokens();
        List<Integer> window = last.isEmpty() ? all : lastOf(all, last.getAsInt());
        List<Integer> counted = last.isEmpty() ? all.subList(promptTokens, all.size()) : window;
        for (int id = 0; id < logits.length; id++) {
            int token = id;
            double logit = logits[id];
            if (window.contains(id)) {
                logit = logit > 0 ? logit / penalties.repetition() : logit * penalties.repetition();
            }
            long count = counted.stream().filter(other -> other == token).count();
            logits[id] = (float) (logit - count * penalties.frequency() - (count > 0 ? penalties.presence() : 0));
        }
    }

    private void penaliseRepetitions(float[] logits, List<Integer> all) {
        Dry dry = parameters.dry();
        List<Integer> window = lastOf(all, dry.lastTokens());
        int limit = sinceBreaker(window);
        for (int id = 0; id < logits.length; id++) {
            int longest = 0;
            for (int place = 0; place < window.size(); place++) {
                if (window.get(place) == id) {
                    longest = Math.max(longest, Math.min(limit, commonEnd(window.subList(0, place), window)));
                }
            }
            if (dry.multiplier() > 0 && longest >= dry.allowedLength() && !breakers.contains(List.of(id))) {
                logits[id] =
                        (float) (logits[id] - dry.multiplier() * Math.pow(dry.base(), longest - dry.allowedLength()));
            }
        }
    }

    private static int commonEnd(List<Integer> a, List<Integer> b) {
        int length = 0;
        while (length < a.size() && lastOf(a, length + 1).equals(lastOf(b, length + 1))) {
            length++;
        }
        return length;
    }

    private int sinceBreaker(List<Integer> window) {
        for (int from = window.size() - 1; from >= 0; from--) {
            List<Integer> rest = window.subList(from, window.size());
            OptionalInt longest = breakers.stream()
                    .filter(breaker -> breaker.size() <= rest.size()
                            && rest.subList(0, breaker.size()).equals(breaker))
                    .mapToInt(List::size)
                    .max();
            if (longest.isPresent()) {
                return rest.size() - longest.getAsInt();
            }
        }
        return window.size();
    }

    private List<Integer> cut(float[] logits, List<Integer> ranking, double coin) {
        Cuts cuts = parameters.cuts();
        double temperature = parameters.dynamic().range() > 0 ? 1 : parameters.temperature();
        double[] p = probabilities(logits, ranking, temperature);
        double least = cuts.minP() * p[ranking.getFirst()];
        List<Integer> kept = ranking.stream().filter(id -> p[id] >= least).toList();
        kept = kept.subList(0, cuts.topK() == 0 ? kept.size() : Math.min(cuts.topK(), kept.size()));
        if (cuts.typicalP() < 1) {
            double[] typical = probabilities(logits, kept, temperature);
            double entropy = entropy(kept, typical);
            List<Integer> mostTypical = ranking(kept, id -> (float) -Math.abs(-Math.log(typical[id]) - entropy));
            kept = ranking(reaching(mostTypical, typical, cuts.typicalP()), id -> logits[id]);
        }
        if (cuts.topP() < 1) {
            kept = reaching(kept, probabilities(logits, kept, temperature), cuts.topP());
        }
        Xtc xtc = parameters.xtc();
        if (coin < xtc.probability() && xtc.threshold() <= 0.5) {
            double[] left = probabilities(logits, kept, temperature);
            long choices = kept.stream()
                    .filter(id -> left[id] >= xtc.threshold() && left[id] > 0)
                    .count();
            kept = kept.subList(Math.max(0, (int) choices - 1), kept.size());
        }
        return kept;
    }

    private static List<Integer> reaching(List<Integer> ranking, double[] p, double mass) {
        double sum = 0;
        int count = 0;
        while (count < ranking.size() && (count == 0 || sum < mass)) {
            sum += p[ranking.get(count++)];
        }
        return ranking.subList(0, count);
    }

    private double temperature(float[] logits, List<Integer> kept) {
        DynamicTemperature dynamic = parameters.dynamic();
        if (dynamic.range() == 0 || kept.size() == 1) {
            return parameters.temperature() == 0 ? 1 : parameters.temperature();
        }
        double entropy = entropy(kept, probabilities(logits, kept, 1)) / Math.log(kept.size());
        double low = Math.max(0, parameters.temperature() - dynamic.range());
        return low
                + (parameters.temperature() + dynamic.range() - low)
                        * Math.pow(Math.min(1, entropy), dynamic.exponent());
    }

    private static double entropy(List<Integer> kept, double[] p) {
        return kept.stream()
                .mapToDouble(id -> p[id] == 0 ? 0 : -p[id] * Math.log(p[id]))
                .sum();
    }

    private int drawByMirostat(float[] logits, List<Integer> ranking, double uniform) {
        double[] p = probabilities(logits, ranking, parameters.temperature());
        List<Integer> kept;
        if (parameters.mirostat().version() == 2) {
            kept = ranking.stream()
                    .filter(id -> -Math.log(p[id]) / Math.log(2) <= mu)
                    .toList();
            kept = kept.isEmpty() ? ranking.subList(0, 1) : kept;
        } else {
            double tb = 0;
            double tt = 0;
            for (int i = 1; i < Math.min(100, ranking.size()) && p[ranking.get(i)] > 0; i++) {
                double t = Math.log((i + 1.0) / i);
                tb += t * Math.log(p[ranking.get(i - 1)] / p[ranking.get(i)]);
                tt += t * t;
            }
            double s = tb / tt;
            double k = Math.pow((s - 1) * Math.pow(2, mu) / (1 - Math.pow(logits.length, 1 - s)), 1 / s);
            kept = ranking.subList(0, Math.clamp((int) k, 1, ranking.size()));
        }
        double[] left = probabilities(logits, kept, parameters.temperature());
        int drawn = pick(kept, left, uniform);
        mu -= parameters.mirostat().eta()
                * (-Math.log(left[drawn]) / Math.log(2) - parameters.mirostat().tau());
        return drawn;
    }

    /** Returns the softmax over {@code kept} by token id; 0 for the others. */
    private static double[] probabilities(float[] logits, List<Integer> kept, double temperature) {
        double max = kept.stream().mapToDouble(id -> logits[id]).max().orElseThrow();
        double[] p = new double[logits.length];
        // A temperature of 0 leaves the best token.
        int best = ranking(kept, id -> logits[id]).getFirst();
        kept.forEach(
                id -> p[id] = temperature == 0 ? (id == best ? 1 : 0) : Math.exp((logits[id] - max) / temperature));
        double sum = Arrays.stream(p).sum();
        return Arrays.stream(p).map(weight -> weight / sum).toArray();
    }

    private static List<Integer> ranking(List<Integer> ids, IntToDoubleFunction key) {
        return ids.stream()
                .sorted(Comparator.<Integer>comparingDouble(id -> -key.applyAsDouble(id))
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
    }

    /** Inverts the distribution function, tokens in the order of their ids. */
    private static int pick(List<Integer> kept, double[] p, double uniform) {
        double sum = 0;
        for (int id : kept.stream().sorted().toList()) {
            sum += p[id];
            if (sum > uniform) {
                return id;
            }
        }
        throw new AssertionError("the probabilities sum up to " + sum + " only, not to " + uniform);
    }
}
