package org.setun.model;

/** Which logits of a row a pass has computed, and what is known of the others. Written by the pass; for one thread at a time. */
public final class Candidates {

    /** All tokens. */
    public static final Candidates ALL = new Candidates(0);

    private final int[] ids;
    private int count;
    private boolean all = true;
    private float omittedBelow = Float.NEGATIVE_INFINITY;
    private double omittedMass;

    /** Creates space for at most {@code maxCount} candidates; they are all tokens at first. */
    Candidates(int maxCount) {
        this.ids = new int[maxCount];
    }

    /** Returns whether all logits of the row have been computed. */
    public boolean areAll() {
        return all;
    }

    /** Returns the tokens whose logits have been computed, ascending, in the first {@link #count} places; none if all have been. */
    public int[] ids() {
        return ids;
    }

    /** Returns how many tokens {@link #ids} lists. */
    public int count() {
        return count;
    }

    /** Returns a value that the logits of all other tokens are less than; positive infinity where none is known. */
    public float omittedBelow() {
        return omittedBelow;
    }

    /**
     * Returns at least the sum of {@code exp((logit - max) / temperature)} over all other tokens, for the largest logit and the
     * temperature of a {@link CandidateRule.Nucleus}; positive infinity for {@link CandidateRule.Best} and {@link CandidateRule.Near}, and 0, as none of them can be
     * chosen, for {@link CandidateRule.Perturbed}.
     */
    public double omittedMass() {
        return omittedMass;
    }

    int maxCount() {
        return ids.length;
    }

    void setAll() {
        all = true;
        count = 0;
        omittedBelow = Float.NEGATIVE_INFINITY;
        omittedMass = 0;
    }

    /** Begins a list of tokens. */
    void begin(float below, double mass) {
        all = false;
        count = 0;
        omittedBelow = below;
        omittedMass = mass;
    }

    /** Adds a token; false if there is no space left. */
    boolean add(int id) {
        if (count == ids.length) {
            return false;
        }
        ids[count++] = id;
        return true;
    }
}
