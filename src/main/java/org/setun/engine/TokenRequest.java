package org.setun.engine;

import java.util.Set;
import org.setun.sampling.SamplingParameters;

/**
 * A request to continue a prompt, in token ids.
 *
 * @param id names the request in logs and events
 * @param prompt the prompt's ids, at least one; not copied
 * @param maxTokens how many tokens to generate at most, at least 1
 * @param sampling how tokens are chosen
 * @param stopTokens ids that end the sequence; the id itself is reported, and counts as generated
 */
public record TokenRequest(
        String id, int[] prompt, int maxTokens, SamplingParameters sampling, Set<Integer> stopTokens) {

    public TokenRequest {
        stopTokens = Set.copyOf(stopTokens);
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens");
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_tokens: expected 1 or more, found " + maxTokens);
        }
    }
}
