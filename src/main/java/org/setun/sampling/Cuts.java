package org.setun.sampling;

/**
 * Which of the more probable tokens a draw is limited to. Each cut sees the probabilities that the ones before it left, in
 * the order that {@link Sampler} gives; each keeps at least one token.
 *
 * @param topK keeps the {@code topK} most probable tokens; 0 keeps all
 * @param topP keeps the smallest set of most probable tokens whose probability reaches {@code topP}; more than 0, and 1 keeps all
 *     (Holtzman et al., arXiv 1904.09751)
 * @param minP keeps the tokens that are at least {@code minP} times as probable as the most probable one; 0 to 1, and 0 keeps all
 *     (Nguyen et al., arXiv 2407.01082)
 * @param typicalP keeps the smallest set of tokens whose information is closest to the entropy and whose probability reaches
 *     {@code typicalP}; more than 0, and 1 keeps all (Meister et al., arXiv 2202.00666)
 */
public record Cuts(int topK, double topP, double minP, double typicalP) {

    /** Keeps all tokens. */
    public static final Cuts NONE = new Cuts(0, 1, 0, 1);

    public Cuts {
        if (topK < 0) {
            throw new IllegalArgumentException("top_k: expected 0 or more, found " + topK);
        }
        Range.requireShare("top_p", topP);
        Range.require("min_p", minP, 0, 1);
        Range.requireShare("typical_p", typicalP);
    }
}
