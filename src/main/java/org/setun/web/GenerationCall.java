package org.setun.web;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.setun.generation.AnswerDetails;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.setun.generation.TokenRules;
import org.setun.sampling.SamplingParameters;

/**
 * A validated body of a request that generates text.
 *
 * @param prompts what to continue; each gives one choice
 * @param maxTokens how many tokens each choice may have; empty for the server's default
 * @param sampling how tokens are chosen
 * @param rules what is said of single tokens
 * @param stop texts that end a choice
 * @param activationSparsity the fraction of activations to drop at least; 0 for the model's own sparsity
 * @param details what is told beyond the text
 * @param stream whether the answer is sent as it comes
 * @param includeUsage whether a stream ends with the token counts
 * @param unknownFields the fields of the body that mean nothing to this server
 */
record GenerationCall(
        List<Prompt> prompts,
        OptionalInt maxTokens,
        SamplingParameters sampling,
        TokenRules rules,
        List<String> stop,
        double activationSparsity,
        AnswerDetails details,
        boolean stream,
        boolean includeUsage,
        List<String> unknownFields) {

    GenerationCall {
        prompts = List.copyOf(prompts);
        stop = List.copyOf(stop);
        unknownFields = List.copyOf(unknownFields);
    }

    /** Returns one request for each prompt; {@code id} names them in the engine. */
    List<GenerationRequest> generations(String id) {
        if (prompts.size() == 1) {
            return List.of(request(id, prompts.getFirst()));
        }
        return IntStream.range(0, prompts.size())
                .mapToObj(i -> request(id + "-" + i, prompts.get(i)))
                .toList();
    }

    private GenerationRequest request(String id, Prompt prompt) {
        return new GenerationRequest(id, prompt, maxTokens, sampling, stop, activationSparsity, rules, details);
    }

    /** Returns whether the answer shows the log probabilities of its tokens. */
    boolean withLogprobs() {
        return details.scores().isPresent();
    }
}
