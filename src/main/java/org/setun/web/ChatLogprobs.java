package org.setun.web;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.setun.generation.TextToken;

/**
 * The log probabilities of a chat answer, or of a part of one.
 *
 * @param content one a token
 * @param refusal always null
 */
record ChatLogprobs(List<Scored> content, @Nullable Object refusal) {

    /**
     * JSON has no negative infinity; OpenAI and vLLM write this for tokens that cannot come.
     */
    static final float IMPOSSIBLE = -9999;

    /** A token in its place. */
    record Scored(String token, float logprob, List<Integer> bytes, List<Candidate> topLogprobs) {}

    /** A token that could have stood there. */
    record Candidate(String token, float logprob, List<Integer> bytes) {}

    /** Returns the log probabilities of {@code tokens}, all of which have some. */
    static ChatLogprobs of(List<TextToken> tokens) {
        return new ChatLogprobs(tokens.stream().map(ChatLogprobs::scored).toList(), null);
    }

    private static Scored scored(TextToken token) {
        TextToken.Score score = Objects.requireNonNull(token.score());
        List<Candidate> top = score.top().stream()
                .map(candidate -> new Candidate(
                        TokenName.inChat(candidate.bytes()), finite(candidate.logProbability()), candidate.bytes()))
                .toList();
        return new Scored(TokenName.inChat(token.bytes()), finite(score.logProbability()), token.bytes(), top);
    }

    /** Returns a log probability that JSON can hold. */
    static float finite(float logProbability) {
        return Math.max(logProbability, IMPOSSIBLE);
    }
}
