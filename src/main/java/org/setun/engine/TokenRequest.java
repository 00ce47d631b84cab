package org.setun.engine;

import java.util.Set;
import org.setun.sampling.SamplingParameters;

/**
 * A request to continue a prompt, in token ids.
 *
 * @param id names the request in logs and events
 * @param prompt the prompt's ids, at least one; not copied
 * @param ending when it ends
 * @param sampling how tokens are chosen
 * @param details what its owner is told beside the tokens
 * @param urgency how soon it is wanted
 * @param group which other requests continue the same prompt
 * @param activationSparsity the fraction of activations to drop at least in the layers, see {@link
 *     org.setun.model.Chunk#activationSparsity}; at least 0, less than 1
 */
public record TokenRequest(
        String id,
        int[] prompt,
        Ending ending,
        SamplingParameters sampling,
        Details details,
        Urgency urgency,
        PromptGroup group,
        double activationSparsity) {

    public TokenRequest {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens");
        }
        if (details.embedding() && ending.maxTokens() > 0) {
            throw new IllegalArgumentException(
                    "max_tokens: expected 0 where an embedding is wanted, found " + ending.maxTokens());
        }
        if (!(activationSparsity >= 0 && activationSparsity < 1)) {
            throw new IllegalArgumentException(
                    "activation_sparsity: expected at least 0 and less than 1, found " + activationSparsity);
        }
    }

    /** Creates a request that shares its prompt with no other. */
    public TokenRequest(
            String id,
            int[] prompt,
            Ending ending,
            SamplingParameters sampling,
            Details details,
            Urgency urgency,
            double activationSparsity) {
        this(id, prompt, ending, sampling, details, urgency, PromptGroup.NONE, activationSparsity);
    }

    /** Creates a request of normal urgency for tokens alone, with the model's own activation sparsity. */
    public TokenRequest(String id, int[] prompt, int maxTokens, SamplingParameters sampling, Set<Integer> stopTokens) {
        this(id, prompt, new Ending(maxTokens, stopTokens), sampling, Details.NONE, Urgency.NORMAL, 0);
    }

    /** Creates the same request with another activation sparsity. */
    public TokenRequest withActivationSparsity(double sparsity) {
        return new TokenRequest(id, prompt, ending, sampling, details, urgency, group, sparsity);
    }
}
