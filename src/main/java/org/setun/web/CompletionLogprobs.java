package org.setun.web;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.setun.generation.TextToken;

/**
 * The log probabilities of a completion, or of a part of one, in OpenAI's older form: lists with one element a token.
 *
 * @param tokens what the tokens are called
 * @param tokenLogprobs their log probabilities; null for a prompt's first token
 * @param topLogprobs the most probable tokens in each place, the best first, and the one that stands there; null for a prompt's
 *     first token
 * @param textOffset where in the choice's text they begin, in code points
 */
record CompletionLogprobs(
        List<String> tokens,
        List<@Nullable Float> tokenLogprobs,
        List<@Nullable Map<String, Float>> topLogprobs,
        List<Integer> textOffset) {

    /** Returns the log probabilities of {@code tokens}, each with up to {@code alternatives} of the most probable tokens. */
    static CompletionLogprobs of(List<TextToken> tokens, int alternatives) {
        CompletionLogprobs logprobs =
                new CompletionLogprobs(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        tokens.forEach(token -> logprobs.add(token, alternatives));
        return logprobs;
    }

    private void add(TextToken token, int alternatives) {
        String name = TokenName.inCompletion(token.bytes());
        TextToken.Score score = token.score();
        tokens.add(name);
        textOffset.add(token.offset());
        if (score == null) {
            tokenLogprobs.add(null);
            topLogprobs.add(null);
            return;
        }
        float logProbability = ChatLogprobs.finite(score.logProbability());
        Map<String, Float> top = new LinkedHashMap<>();
        for (TextToken.Candidate candidate :
                score.top().subList(0, Math.min(alternatives, score.top().size()))) {
            // Several tokens may have one name; the best of them counts.
            top.putIfAbsent(TokenName.inCompletion(candidate.bytes()), ChatLogprobs.finite(candidate.logProbability()));
        }
        top.putIfAbsent(name, logProbability);
        tokenLogprobs.add(logProbability);
        topLogprobs.add(top);
    }
}
