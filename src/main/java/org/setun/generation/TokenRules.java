package org.setun.generation;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a request says of single tokens, by their ids or by texts that the tokenizer makes tokens of.
 *
 * @param minTokens how many tokens come at least before one that ends the answer; at least 0
 * @param ignoreEos whether the model's own stop tokens are never chosen
 * @param stopTokens ids that end the answer beside the model's own
 * @param bias what is added to the logits of tokens, by id: see {@link org.setun.sampling.TokenBias}
 * @param textBias what is added to the logits of all tokens of a text
 * @param badWords texts that the answer must not contain as tokens, at a word's beginning or within it; none empty
 * @param sequenceBreakers texts that DRY takes no repetition across; none empty
 */
public record TokenRules(
        int minTokens,
        boolean ignoreEos,
        Set<Integer> stopTokens,
        Map<Integer, Float> bias,
        Map<String, Float> textBias,
        List<String> badWords,
        List<String> sequenceBreakers) {

    /** Nothing is said. */
    public static final TokenRules NONE = new TokenRules(0, false, Set.of(), Map.of(), Map.of(), List.of(), List.of());

    public TokenRules {
        stopTokens = Set.copyOf(stopTokens);
        bias = Map.copyOf(bias);
        textBias = Map.copyOf(textBias);
        badWords = List.copyOf(badWords);
        sequenceBreakers = List.copyOf(sequenceBreakers);
        if (minTokens < 0) {
            throw new IllegalArgumentException("min_tokens: expected 0 or more, found " + minTokens);
        }
        if (badWords.contains("") || sequenceBreakers.contains("")) {
            throw new IllegalArgumentException("expected texts of one character or more, found an empty one");
        }
    }
}
