package org.setun.generation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.setun.engine.Ending;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.TokenBias;
import org.setun.tokenizer.Tokenizer;

/** Turns {@link TokenRules} into tokens of one model. Thread-safe. */
final class RuleTokens {

    private final Tokenizer tokenizer;
    private final int vocabSize;
    private final Set<Integer> modelStops;
    private final BreakerTokens breakers;

    /** Creates it for a model of {@code vocabSize} tokens, of which {@code modelStops} end an answer. */
    RuleTokens(Tokenizer tokenizer, int vocabSize, Set<Integer> modelStops) {
        this.tokenizer = tokenizer;
        this.vocabSize = vocabSize;
        this.modelStops = modelStops;
        this.breakers = new BreakerTokens(tokenizer, vocabSize);
    }

    /** Returns when an answer of at most {@code maxTokens} ends. */
    Ending ending(TokenRules rules, int maxTokens) throws InvalidPromptException {
        if (rules.minTokens() > maxTokens) {
            throw new InvalidPromptException(
                    "min_tokens",
                    "invalid_value",
                    "min_tokens: expected at most " + maxTokens
                            + ", the number of tokens that the answer may have, found " + rules.minTokens());
        }
        List<Integer> stops = new ArrayList<>(modelStops);
        for (int id : rules.stopTokens()) {
            stops.add(known("stop_token_ids", id));
        }
        return new Ending(maxTokens, rules.minTokens(), Set.copyOf(stops));
    }

    /** Returns how tokens are chosen: what the request says in numbers, and what it says of tokens. */
    SamplingParameters sampling(GenerationRequest request) throws InvalidPromptException {
        TokenRules rules = request.rules();
        SamplingParameters sampling = request.sampling();
        if (sampling.dry().isOn() && !rules.sequenceBreakers().isEmpty()) {
            sampling = sampling.withDry(sampling.dry().withBreakers(breakers.of(rules.sequenceBreakers())));
        }
        TokenBias bias = bias(rules);
        return bias.equals(TokenBias.NONE) ? sampling : sampling.withBias(bias);
    }

    private TokenBias bias(TokenRules rules) throws InvalidPromptException {
        Map<Integer, Float> byId = new HashMap<>();
        for (Map.Entry<Integer, Float> entry : rules.bias().entrySet()) {
            byId.put(known("logit_bias", entry.getKey()), entry.getValue());
        }
        // As in llama-server, every token of a text gets the text's bias.
        rules.textBias()
                .forEach((text, bias) -> Arrays.stream(tokenizer.encode(text, false))
                        .distinct()
                        .forEach(id -> byId.merge(id, bias, RuleTokens::sum)));
        if (rules.ignoreEos()) {
            modelStops.forEach(id -> byId.put(id, Float.NEGATIVE_INFINITY));
        }
        List<List<Integer>> words =
                rules.badWords().stream().flatMap(word -> words(word).stream()).toList();
        return new TokenBias(byId, words);
    }

    private static float sum(float a, float b) {
        float sum = a + b;
        return sum == Float.NEGATIVE_INFINITY ? sum : (float) Math.clamp(sum, -TokenBias.MAX, TokenBias.MAX);
    }

    /**
     * Returns the sequences of tokens that a word can be: as the beginning of a text, and, where that makes a difference, as a word
     * within one. As in vLLM.
     */
    private List<List<Integer>> words(String word) {
        String bare = word.stripLeading();
        List<Integer> first = Arrays.stream(tokenizer.encode(bare.isEmpty() ? word : bare, false))
                .boxed()
                .toList();
        List<Integer> within =
                Arrays.stream(tokenizer.encode(" " + bare, false)).boxed().toList();
        boolean differs = !first.isEmpty()
                && within.size() == first.size()
                && !within.getFirst().equals(first.getFirst());
        return differs ? List.of(first, within) : first.isEmpty() ? List.of() : List.of(first);
    }

    private int known(String field, int id) throws InvalidPromptException {
        if (id >= vocabSize) {
            throw new InvalidPromptException(
                    field,
                    "invalid_value",
                    field + ": expected ids of this model's tokens, from 0 to " + (vocabSize - 1) + ", found " + id);
        }
        return id;
    }
}
