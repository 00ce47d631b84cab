package org.setun.generation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A token of a prompt or an answer, and how probable it was in its place.
 *
 * @param id the token id
 * @param bytes what it stands for, each byte from 0 to 255; not always UTF-8, as a token may be a part of a character
 * @param offset where its text begins in the choice's text, in code points; a token inside a character has that character's
 * @param score how probable it was; null for the first token of a prompt, which follows nothing
 */
public record TextToken(
        int id, List<Integer> bytes, int offset, @Nullable Score score) {

    /**
     * How probable a token was by the model's own distribution, before temperature, cuts and penalties.
     *
     * @param logProbability the natural logarithm of its probability: 0 or less, negative infinity for a token that cannot come
     * @param rank how many tokens are as probable or more, itself included
     * @param top the most probable tokens in its place, the best first; as many as were asked for
     */
    public record Score(float logProbability, int rank, List<Candidate> top) {

        public Score {
            top = List.copyOf(top);
        }
    }

    /**
     * A token that could have stood there.
     *
     * @param id the token id
     * @param bytes what it stands for, as in {@link TextToken#bytes}
     * @param logProbability the natural logarithm of its probability
     */
    public record Candidate(int id, List<Integer> bytes, float logProbability) {

        public Candidate {
            bytes = List.copyOf(bytes);
        }
    }

    public TextToken {
        bytes = List.copyOf(bytes);
    }
}
