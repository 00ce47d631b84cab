package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.setun.engine.PromptGroup;
import org.setun.engine.Urgency;
import org.setun.generation.AnswerDetails;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.setun.generation.TokenRules;
import org.setun.sampling.SamplingParameters;

/**
 * A validated body of a request that generates text.
 *
 * @param prompts what to continue
 * @param choices how many answers each prompt gets
 * @param maxTokens how many tokens each choice may have; empty for the server's default
 * @param sampling how tokens are chosen
 * @param rules what is said of single tokens
 * @param stop texts that end a choice
 * @param activationSparsity the fraction of activations to drop at least; 0 for the model's own sparsity
 * @param details what is shown beyond the text; an echoed prompt's tokens have the scores that the answer's have
 * @param urgency how soon it is wanted
 * @param stream whether the answer is sent as it comes
 * @param includeUsage whether a stream ends with the token counts
 * @param unknownFields the fields of the body that mean nothing to this server
 */
record GenerationCall(
        List<Prompt> prompts,
        Choices choices,
        OptionalInt maxTokens,
        SamplingParameters sampling,
        TokenRules rules,
        List<String> stop,
        double activationSparsity,
        AnswerDetails details,
        Urgency urgency,
        boolean stream,
        boolean includeUsage,
        List<String> unknownFields) {

    GenerationCall {
        prompts = List.copyOf(prompts);
        stop = List.copyOf(stop);
        unknownFields = List.copyOf(unknownFields);
    }

    /**
     * Returns the requests in the order of the answers, prompt by prompt.
     *
     * @param id names them in the engine
     * @param caller who asks; empty if that is not known
     */
    List<GenerationRequest> generations(String id, String caller) {
        int count = prompts.size() * choices.generated();
        List<GenerationRequest> requests = new ArrayList<>(count);
        for (Prompt prompt : prompts) {
            // The engine reads the prompt once for all of its answers.
            PromptGroup group = choices.generated() == 1 ? PromptGroup.NONE : new PromptGroup(choices.generated());
            for (int choice = 0; choice < choices.generated(); choice++) {
                String name = count == 1 ? id : id + "-" + requests.size();
                requests.add(request(name, prompt, choice, urgency.of(caller), group));
            }
        }
        return requests;
    }

    private GenerationRequest request(String id, Prompt prompt, int choice, Urgency ofCaller, PromptGroup group) {
        return new GenerationRequest(
                id,
                prompt,
                maxTokens,
                sampling.withSeed(Choices.seed(sampling.seed(), choice)),
                stop,
                activationSparsity,
                rules,
                wantedDetails(),
                ofCaller,
                group);
    }

    /** Returns the details to ask for, which may be more than what is shown. */
    private AnswerDetails wantedDetails() {
        OptionalInt echoed = details.echo() ? details.scores() : OptionalInt.empty();
        AnswerDetails wanted = new AnswerDetails(
                details.scores(),
                max(details.promptScores(), echoed),
                details.echo(),
                details.activity(),
                details.timings());
        return choices.areRanked() ? wanted.withAnyScores() : wanted;
    }

    private static OptionalInt max(OptionalInt a, OptionalInt b) {
        return a.isPresent() && b.isPresent()
                ? OptionalInt.of(Math.max(a.getAsInt(), b.getAsInt()))
                : a.isPresent() ? a : b;
    }

    /** Returns how the answer to a completion is written. */
    CompletionFormat completionFormat() {
        return new CompletionFormat(details.scores(), details.promptScores(), details.echo());
    }
}
