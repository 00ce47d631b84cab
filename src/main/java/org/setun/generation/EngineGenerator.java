package org.setun.generation;

import java.util.OptionalInt;
import java.util.function.Consumer;
import org.setun.engine.Details;
import org.setun.engine.Engine;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.TokenRequest;
import org.setun.tokenizer.IncrementalDecoder;
import org.setun.tokenizer.Tokenizer;

/** Generates text with an engine and the tokenizer of its model, both of which stay the caller's. */
public final class EngineGenerator implements Generator {

    private final Engine engine;
    private final Tokenizer tokenizer;
    private final GenerationSettings settings;
    private final GenerationObserver observer;
    private final RuleTokens rules;
    private final PromptEncoder prompts;

    /** Creates a generator over {@code engine}, whose token ids are {@code tokenizer}'s. */
    public EngineGenerator(Engine engine, Tokenizer tokenizer, GenerationSettings settings) {
        this(engine, tokenizer, settings, GenerationObserver.NONE);
    }

    /** Creates a generator that {@code observer} sees. */
    public EngineGenerator(
            Engine engine, Tokenizer tokenizer, GenerationSettings settings, GenerationObserver observer) {
        this.engine = engine;
        this.tokenizer = tokenizer;
        this.settings = settings;
        this.observer = observer;
        this.rules = new RuleTokens(tokenizer, engine.vocabSize(), settings.stopTokens());
        this.prompts = new PromptEncoder(tokenizer, engine.vocabSize(), observer);
    }

    @Override
    public Handle start(GenerationRequest request, Consumer<GenerationEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        int[] ids = prompts.encode(request.prompt());
        AnswerDetails details = request.details();
        TokenRequest tokenRequest = new TokenRequest(
                request.id(),
                ids,
                rules.ending(request.rules(), maxTokens(ids.length, request.maxTokens())),
                rules.sampling(request),
                new Details(details.scores(), details.promptScores(), false, details.activity(), details.timings()),
                request.urgency(),
                request.group(),
                request.activationSparsity());
        String promptText = details.tellPrompt() ? prompts.text(request.prompt(), ids) : "";
        PromptReport report = details.tellPrompt()
                ? new PromptReport(promptText, ids, details.promptScores().isPresent(), tokenizer)
                : null;
        int offset = details.echo() ? promptText.codePointCount(0, promptText.length()) : 0;
        AnswerText text = new AnswerText(
                decoder(request.prompt(), ids), new StopStrings(request.stop()), new TokenTrail(tokenizer, offset));
        Generation generation = new Generation(tokenRequest, report, text, observer, events);
        generation.submitted(engine.submit(tokenRequest, generation::handle));
        return generation;
    }

    private IncrementalDecoder decoder(Prompt prompt, int[] ids) {
        return switch (prompt) {
            case Prompt.Text text -> ContinuingDecoder.after(ids, tokenizer);
            case Prompt.Tokens tokens -> ContinuingDecoder.after(ids, tokenizer);
            // An answer in a conversation is a text of its own.
            case Prompt.Chat chat -> tokenizer.decoder(true);
        };
    }

    /** Returns how many tokens to generate; as with OpenAI, one who asks for more than fits is told, not cut short. */
    private int maxTokens(int promptTokens, OptionalInt requested) throws InvalidPromptException {
        if (promptTokens > settings.maxPromptTokens() && settings.maxPromptTokens() < settings.contextLength()) {
            throw new InvalidPromptException(
                    "context_length_exceeded",
                    "This server takes prompts of at most " + settings.maxPromptTokens()
                            + " tokens, but the prompt has " + promptTokens + ". Please shorten the prompt.");
        }
        int room = settings.contextLength() - promptTokens;
        if (room < Math.min(1, requested.orElse(1))) {
            throw new InvalidPromptException(
                    "context_length_exceeded",
                    "This model's context length is " + settings.contextLength() + " tokens, but the prompt has "
                            + promptTokens + " and leaves no room for an answer. Please shorten the prompt.");
        }
        if (requested.isEmpty()) {
            return Math.min(settings.defaultMaxTokens(), room);
        }
        if (requested.getAsInt() > room) {
            throw new InvalidPromptException(
                    "context_length_exceeded",
                    "This model's context length is " + settings.contextLength() + " tokens, but "
                            + requested.getAsInt() + " completion tokens were asked for after a prompt of "
                            + promptTokens
                            + ". Please shorten the prompt or lower max_tokens.");
        }
        return requested.getAsInt();
    }
}
