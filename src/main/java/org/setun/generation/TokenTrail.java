package org.setun.generation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.sampling.TokenScore;
import org.setun.tokenizer.Tokenizer;

/**
 * The scored tokens of a text that is decoded piece by piece. A token leaves with the piece in which its text begins: so it waits as
 * long as its text does, for the rest of a character or for what may be a stop string. For one thread at a time.
 */
final class TokenTrail {

    private record Held(int id, @Nullable TokenScore score, int begin) {}

    private final Tokenizer tokenizer;
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    /** Where the next token's text begins, how much the decoder has given, how much was sent: in UTF-16 units. */
    private int begin;

    private int decoded;
    private int sent;
    /** How much was sent, in code points, counted from where the choice's text begins. */
    private int offset;

    /**
     * Creates a trail.
     *
     * @param offset how many code points of the choice's text come before this one
     */
    TokenTrail(Tokenizer tokenizer, int offset) {
        this.tokenizer = tokenizer;
        this.offset = offset;
    }

    /** Takes the next token and the text that the decoder gave for it. */
    void add(int id, @Nullable TokenScore score, String text) {
        held.add(new Held(id, score, begin));
        decoded += text.length();
        begin = text.isEmpty() && isCharacterHeldBack(id) ? begin + 1 : decoded;
    }

    /**
     * Tells whether a token that gave no text is a character that the decoder holds back, as one among bytes of longer ones, and neither
     * special nor a part of a character nor a space that the beginning of a text loses.
     */
    private boolean isCharacterHeldBack(int id) {
        byte[] bytes = tokenizer.tokenBytes(id);
        return bytes.length == 1
                && bytes[0] >= 0
                && !tokenizer.decode(new int[] {id}, true).isEmpty();
    }

    /** Returns the tokens that leave with {@code text}, the next piece of the decoded text. */
    List<TextToken> leaveWith(String text) {
        List<TextToken> tokens = new ArrayList<>();
        int end = sent + text.length();
        while (!held.isEmpty() && held.element().begin() < end) {
            tokens.add(token(held.remove(), text));
        }
        offset += text.codePointCount(0, text.length());
        sent = end;
        return tokens;
    }

    /** Returns the tokens without text that stand at the end. */
    List<TextToken> rest() {
        List<TextToken> tokens = new ArrayList<>();
        while (!held.isEmpty()) {
            tokens.add(token(held.remove(), ""));
        }
        return tokens;
    }

    private TextToken token(Held token, String text) {
        int ahead = Math.clamp(token.begin() - sent, 0, text.length());
        TokenScore score = token.score();
        return new TextToken(
                token.id(),
                bytes(token.id()),
                offset + text.codePointCount(0, ahead),
                score == null ? null : score(score));
    }

    private TextToken.Score score(TokenScore score) {
        return new TextToken.Score(
                score.token().logProbability(),
                score.rank(),
                score.top().stream()
                        .map(scored ->
                                new TextToken.Candidate(scored.id(), bytes(scored.id()), scored.logProbability()))
                        .toList());
    }

    private List<Integer> bytes(int id) {
        byte[] bytes = tokenizer.tokenBytes(id);
        List<Integer> values = new ArrayList<>(bytes.length);
        for (byte value : bytes) {
            values.add(Byte.toUnsignedInt(value));
        }
        return values;
    }
}
