package org.setun.engine;

import java.util.OptionalInt;

/**
 * What the owner of a request is told beyond its tokens. Scores and embeddings cost: the whole vocabulary's logits are
 * computed for a score, and a prompt that is scored or pooled is never taken from a cache.
 *
 * @param scores how many alternatives to name beside each generated token with its log probability; empty for no scores
 * @param promptScores the same for each token of the prompt but the first
 * @param embedding whether to tell the mean of the prompt's final hidden states
 * @param activity whether to tell what the model did for the request, which costs nothing
 * @param timings whether to tell how long the parts of the request took, which costs nothing
 */
public record Details(
        OptionalInt scores, OptionalInt promptScores, boolean embedding, boolean activity, boolean timings) {

    /** Tokens only. */
    public static final Details NONE = new Details(OptionalInt.empty(), OptionalInt.empty(), false);

    public Details {
        requireCount("scores", scores);
        requireCount("promptScores", promptScores);
        if (embedding && promptScores.isPresent()) {
            throw new IllegalArgumentException("embedding: expected no promptScores beside it");
        }
    }

    /** Creates details without timings. */
    public Details(OptionalInt scores, OptionalInt promptScores, boolean embedding, boolean activity) {
        this(scores, promptScores, embedding, activity, false);
    }

    /** Creates details without what the model did and timings. */
    public Details(OptionalInt scores, OptionalInt promptScores, boolean embedding) {
        this(scores, promptScores, embedding, false, false);
    }

    private static void requireCount(String name, OptionalInt count) {
        if (count.orElse(0) < 0) {
            throw new IllegalArgumentException(name + ": expected 0 or more, found " + count.getAsInt());
        }
    }
}
