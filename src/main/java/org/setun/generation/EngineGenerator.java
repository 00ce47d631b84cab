package org.setun.generation;

import java.util.OptionalInt;
import java.util.function.Consumer;
import org.setun.engine.Details;
import org.setun.engine.Engine;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.TokenRequest;
import org.setun.engine.Urgency;
import org.setun.tokenizer.ChatTemplateException;
import org.setun.tokenizer.Tokenizer;

/** Generates text with an engine and the tokenizer of its model, both of which stay the caller's. */
public final class EngineGenerator implements Generator {

    private final Engine engine;
    private final Tokenizer tokenizer;
    private final GenerationSettings settings;
    private final RuleTokens rules;

    /** Creates a generator over {@code engine}, whose token ids are {@code tokenizer}'s. */
    public EngineGenerator(Engine engine, Tokenizer tokenizer, GenerationSettings settings) {
        this.engine = engine;
        this.tokenizer = tokenizer;
        this.settings = settings;
        this.rules = new RuleTokens(tokenizer, engine.vocabSize(), settings.stopTokens());
    }

    @Override
    public Handle start(GenerationRequest request, Consumer<GenerationEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        int[] prompt = tokens(request.prompt());
        TokenRequest tokenRequest = new TokenRequest(
                request.id(),
                prompt,
                rules.ending(request.rules(), maxTokens(prompt.length, request.maxTokens())),
                rules.sampling(request),
                new Details(request.details().scores(), OptionalInt.empty(), false),
                Urgency.NORMAL,
                request.activationSparsity());
        AnswerText text =
                new AnswerText(tokenizer.decoder(true), new StopStrings(request.stop()), new TokenTrail(tokenizer, 0));
        Generation generation = new Generation(tokenRequest, text, events);
        generation.submitted(engine.submit(tokenRequest, generation::handle));
        return generation;
    }

    private int[] tokens(Prompt prompt) throws InvalidPromptException {
        int[] ids = switch (prompt) {
            case Prompt.Text text -> tokenizer.encode(text.text(), true);
            case Prompt.Tokens tokens ->
                tokens.ids().stream().mapToInt(Integer::intValue).toArray();
            // The template writes the special tokens itself: adding them here would make two beginnings.
            case Prompt.Chat chat -> tokenizer.encode(render(chat), false);
        };
        if (ids.length == 0) {
            throw new InvalidPromptException(
                    "invalid_value",
                    "The prompt has no tokens, and this model has no token to begin an empty text with.");
        }
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= engine.vocabSize()) {
                throw new InvalidPromptException(
                        "invalid_value",
                        "Token " + i + " of the prompt is " + ids[i] + "; this model's token ids go from 0 to "
                                + (engine.vocabSize() - 1) + ".");
            }
        }
        return ids;
    }

    private String render(Prompt.Chat chat) throws InvalidPromptException {
        try {
            return tokenizer.renderChat(chat.messages());
        } catch (ChatTemplateException e) {
            throw new InvalidPromptException(
                    "invalid_value", "The messages do not fit the chat template: " + e.getMessage(), e);
        }
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
        if (room < 1) {
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
