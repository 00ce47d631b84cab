package org.setun.generation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineEvent;
import org.setun.sampling.TokenScore;
import org.setun.tokenizer.IncrementalDecoder;
import org.setun.tokenizer.Tokenizer;

/** Gathers what the owner of a request is told of its prompt: the text, and its tokens with their scores. For one thread at a time. */
final class PromptReport {

    private final String text;
    private final int[] ids;
    private final Tokenizer tokenizer;
    private final IncrementalDecoder decoder;
    private final TokenTrail trail;
    private final List<TextToken> tokens = new ArrayList<>();

    /**
     * Begins a report.
     *
     * @param text the prompt's text
     * @param ids its tokens
     * @param scored whether scores of all tokens but the first will come
     */
    PromptReport(String text, int[] ids, boolean scored, Tokenizer tokenizer) {
        this.text = text;
        this.ids = ids;
        this.tokenizer = tokenizer;
        this.decoder = tokenizer.decoder(true);
        this.trail = new TokenTrail(tokenizer, 0);
        if (scored) {
            // Nothing comes before the first token that could make it probable.
            add(0, null);
        }
    }

    /** Takes the next scores. */
    void add(EngineEvent.PromptScores scores) {
        for (int i = 0; i < scores.scores().size(); i++) {
            add(scores.position() + i, scores.scores().get(i));
        }
    }

    private void add(int position, @Nullable TokenScore score) {
        boolean readable = tokenizer.tokenBytes(ids[position]).length > 0;
        String decoded = readable ? decoder.append(ids[position]) : "";
        trail.add(ids[position], score, decoded);
        tokens.addAll(trail.leaveWith(decoded));
    }

    /** Returns the report, all scores having come. */
    GenerationEvent.Prompt event() {
        tokens.addAll(trail.leaveWith(decoder.flush()));
        tokens.addAll(trail.rest());
        return new GenerationEvent.Prompt(text, tokens);
    }
}
