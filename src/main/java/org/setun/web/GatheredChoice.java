package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;
import org.setun.generation.TextToken;

/** Gathers one answer of a request, to be sent in one piece. For one thread at a time. */
final class GatheredChoice {

    private final StringBuilder text = new StringBuilder();
    private final List<TextToken> tokens = new ArrayList<>();
    private GenerationEvent.@Nullable Prompt prompt;
    private GenerationEvent.@Nullable Finished end;

    void prompt(GenerationEvent.Prompt told) {
        prompt = told;
    }

    void add(GenerationEvent.Text more) {
        text.append(more.text());
        tokens.addAll(more.tokens());
    }

    void end(GenerationEvent.Finished finished) {
        end = finished;
    }

    boolean hasEnded() {
        return end != null;
    }

    /** Returns the end, which there is. */
    GenerationEvent.Finished end() {
        return Objects.requireNonNull(end);
    }

    /** Returns the prompt, if it was told. */
    Optional<GenerationEvent.Prompt> prompt() {
        return Optional.ofNullable(prompt);
    }

    /** Returns all of the answer's own text. */
    GenerationEvent.Text whole() {
        return new GenerationEvent.Text(text.toString(), tokens);
    }
}
