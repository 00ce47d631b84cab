package org.setun.generation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.sampling.TokenScore;
import org.setun.tokenizer.IncrementalDecoder;

/**
 * The text of one answer: decodes its tokens up to the first stop string, and sends scored tokens with the text that they belong
 * to. Tokens whose text lies behind a stop string are dropped as that text is. For one thread at a time.
 */
final class AnswerText {

    private final IncrementalDecoder decoder;
    private final StopStrings stopStrings;
    private final TokenTrail trail;

    AnswerText(IncrementalDecoder decoder, StopStrings stopStrings, TokenTrail trail) {
        this.decoder = decoder;
        this.stopStrings = stopStrings;
        this.trail = trail;
    }

    /**
     * Takes the next token and returns what has become certain, which may be nothing.
     *
     * @param score null if no scores are wanted, for any token of the answer
     */
    GenerationEvent.Text append(int id, @Nullable TokenScore score) {
        String decoded = decoder.append(id);
        if (score != null) {
            trail.add(id, score, decoded);
        }
        return sent(stopStrings.append(decoded));
    }

    /** Returns what was held back, once no token will come. */
    GenerationEvent.Text end() {
        String text = stopStrings.append(decoder.flush());
        GenerationEvent.Text last = sent(text + stopStrings.flush());
        if (isStopped()) {
            return last;
        }
        List<TextToken> tokens = new ArrayList<>(last.tokens());
        tokens.addAll(trail.rest());
        return new GenerationEvent.Text(last.text(), tokens);
    }

    /** Returns whether a stop string has been found: the answer is complete. */
    boolean isStopped() {
        return stopStrings.found();
    }

    private GenerationEvent.Text sent(String text) {
        return new GenerationEvent.Text(text, trail.leaveWith(text));
    }
}
