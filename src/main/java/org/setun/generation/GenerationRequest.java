package org.setun.generation;

import java.util.List;
import java.util.OptionalInt;
import org.setun.engine.PromptGroup;
import org.setun.engine.Urgency;
import org.setun.sampling.SamplingParameters;

/**
 * A request to continue a prompt, in text.
 *
 * @param id names the request in logs and events
 * @param prompt what to continue
 * @param maxTokens how many tokens to generate at most; empty for the server's default
 * @param sampling how tokens are chosen
 * @param stop texts that end the generation and are not part of the answer; none empty
 * @param activationSparsity the fraction of activations to drop at least in the layers; at least 0, less than 1, and 0 for the
 *     model's own sparsity
 * @param rules what is said of single tokens
 * @param details what is told beyond the text
 * @param urgency how soon it is wanted
 * @param group which other requests continue the same prompt
 */
public record GenerationRequest(
        String id,
        Prompt prompt,
        OptionalInt maxTokens,
        SamplingParameters sampling,
        List<String> stop,
        double activationSparsity,
        TokenRules rules,
        AnswerDetails details,
        Urgency urgency,
        PromptGroup group) {

    public GenerationRequest {
        stop = List.copyOf(stop);
        if (stop.contains("")) {
            throw new IllegalArgumentException("stop: expected texts of one character or more, found an empty one");
        }
    }

    /** Creates a request that shares its prompt with no other. */
    public GenerationRequest(
            String id,
            Prompt prompt,
            OptionalInt maxTokens,
            SamplingParameters sampling,
            List<String> stop,
            double activationSparsity,
            TokenRules rules,
            AnswerDetails details,
            Urgency urgency) {
        this(id, prompt, maxTokens, sampling, stop, activationSparsity, rules, details, urgency, PromptGroup.NONE);
    }

    /** Creates a request of normal urgency for text alone with the model's own activation sparsity. */
    public GenerationRequest(
            String id, Prompt prompt, OptionalInt maxTokens, SamplingParameters sampling, List<String> stop) {
        this(id, prompt, maxTokens, sampling, stop, 0);
    }

    /** Creates a request of normal urgency for text alone that says nothing of single tokens. */
    public GenerationRequest(
            String id,
            Prompt prompt,
            OptionalInt maxTokens,
            SamplingParameters sampling,
            List<String> stop,
            double activationSparsity) {
        this(
                id,
                prompt,
                maxTokens,
                sampling,
                stop,
                activationSparsity,
                TokenRules.NONE,
                AnswerDetails.NONE,
                Urgency.NORMAL);
    }
}
