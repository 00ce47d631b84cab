package org.setun.web;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.setun.generation.TextToken;

/**
 * A token of a prompt, or one that could have stood there, in vLLM's field {@code prompt_logprobs}.
 *
 * @param logprob the log probability
 * @param rank how many tokens are as probable or more, itself included
 * @param decodedToken what the token is called
 */
record PromptLogprobs(float logprob, int rank, String decodedToken) {

    /**
     * Returns one map a token from ids: the token that stands there first, then up to {@code alternatives} of the most probable; null
     * for the first token.
     */
    static List<@Nullable Map<Integer, PromptLogprobs>> of(List<TextToken> tokens, int alternatives) {
        List<@Nullable Map<Integer, PromptLogprobs>> places = new ArrayList<>();
        for (TextToken token : tokens) {
            places.add(token.score() == null ? null : place(token, token.score(), alternatives));
        }
        return places;
    }

    private static Map<Integer, PromptLogprobs> place(TextToken token, TextToken.Score score, int alternatives) {
        Map<Integer, PromptLogprobs> place = new LinkedHashMap<>();
        place.put(token.id(), of(token.bytes(), score.logProbability(), score.rank()));
        List<TextToken.Candidate> top = score.top();
        for (int i = 0; i < Math.min(alternatives, top.size()); i++) {
            TextToken.Candidate candidate = top.get(i);
            place.putIfAbsent(candidate.id(), of(candidate.bytes(), candidate.logProbability(), i + 1));
        }
        return place;
    }

    private static PromptLogprobs of(List<Integer> bytes, float logProbability, int rank) {
        return new PromptLogprobs(ChatLogprobs.finite(logProbability), rank, TokenName.inChat(bytes));
    }
}
