package org.setun.sampling;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The logits of one token's successor: those of the whole vocabulary, or only of those tokens that a request can choose.
 *
 * @param values holds the logit of token {@code id} at {@code offset + id}; not changed
 * @param offset where the row starts
 * @param ids the tokens that have a logit, ascending; null for all of the vocabulary
 * @param count how many these are, at least 1
 * @param omitted what is known of the others
 */
public record Logits(float[] values, int offset, int @Nullable [] ids, int count, Omitted omitted) {

    /**
     * What is known of the tokens without a logit.
     *
     * @param below a value that their logits are less than; negative infinity where there are none
     * @param mass at least the sum of their {@code exp((logit - max) / temperature)}, {@code max} being the largest logit of
     *     all and {@code temperature} the request's; positive infinity where it is not known
     */
    public record Omitted(float below, double mass) {

        /** No token is left out. */
        public static final Omitted NONE = new Omitted(Float.NEGATIVE_INFINITY, 0);
    }

    public Logits {
        Objects.checkFromIndexSize(offset, ids == null ? count : 0, values.length);
        if (count < 1) {
            throw new IllegalArgumentException("expected at least one logit, found " + count);
        }
    }

    /** Returns the logits of all {@code vocabSize} tokens of a row. */
    public static Logits all(float[] values, int offset, int vocabSize) {
        return new Logits(values, offset, null, vocabSize, Omitted.NONE);
    }

    /** Returns the {@code i}-th token in the order of ids. */
    int id(int i) {
        return ids == null ? i : ids[i];
    }

    /** Returns a token's logit. */
    float of(int id) {
        return values[offset + id];
    }
}
