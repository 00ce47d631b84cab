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
 * @param activationSparsity the fraction of activations to drop at least in the layers, see {@link
 *     org.setun.model.Chunk#activationSparsity}; at least 0, less than 1
 */
public record TokenRequest(
        String id,
        int[] prompt,
        int maxTokens,
        SamplingParameters sampling,
        Set<Integer> stopTokens,
        double activationSparsity) {

    public TokenRequest {
        stopTokens = Set.copyOf(stopTokens);
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens");
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_tokens: expected 1 or more, found " + maxTokens);
        }
        if (!(activationSparsity >= 0 && activationSparsity < 1)) {
            throw new IllegalArgumentException(
                    "activation_sparsity: expected at least 0 and less than 1, found " + activationSparsity);
        }
    }

    /** Creates a request with the model's own activation sparsity. */
    public TokenRequest(String id, int[] prompt, int maxTokens, SamplingParameters sampling, Set<Integer> stopTokens) {
        this(id, prompt, maxTokens, sampling, stopTokens, 0);
    }
}
