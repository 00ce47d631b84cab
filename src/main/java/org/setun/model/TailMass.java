package org.setun.model;

import java.util.Arrays;

/**
 * Bounds what the less probable tokens of a row weigh together, by a histogram of the upper bounds of their logits. A weight is
 * {@code exp((logit - max) / temperature)}, relative to a value that the largest logit reaches; the bounds hold for the largest
 * itself all the more. For one thread at a time.
 */
final class TailMass {

    /** The width of a bin, in units of the temperature: a token's weight is overestimated by at most e to this power. */
    private static final double BIN = 0.25;

    /** Logits so much lower, or more, weigh less than one in {@code e^40} each. */
    private static final int BINS = 160;

    /** What the omitted tokens may weigh at most, as a fraction of what the kept ones do: more leaves too often a doubt. */
    private static final double MAX_FRACTION = 1e-2;

    /** A fraction that leaves hardly ever a doubt. */
    private static final double GOOD_FRACTION = 1e-6;

    private static final double ROUNDING = 1e-9;

    private final int[] counts = new int[BINS + 1];
    private double top;
    private double binWidth;
    private float reached;
    private double mass;

    /** Begins a row in which a logit reaches {@code top}. */
    void clear(float top, double temperature) {
        Arrays.fill(counts, 0);
        this.top = top;
        this.binWidth = BIN * temperature;
    }

    /** Counts a token by the upper bound of its logit. */
    void add(float upper) {
        counts[bin(upper)]++;
    }

    /** What is above the top, and NaN, belongs to the first bin; all that is far below to the last. */
    private int bin(float upper) {
        return (int) Math.clamp((top - upper) / binWidth, 0.0, BINS);
    }

    /**
     * Chooses which tokens to leave out: as few as are needed for at most {@code maxKept} to remain, unless fewer remain that
     * matter.
     *
     * @return whether what is left out weighs little enough
     */
    boolean cut(int maxKept, double nucleus) {
        double omitted = weight(BINS) * counts[BINS];
        int kept = 0;
        for (int bin = 0; bin < BINS; bin++) {
            kept += counts[bin];
        }
        int end = BINS;
        while (end > 1 && kept > 0) {
            double next = omitted + weight(end - 1) * counts[end - 1];
            // The largest logit weighs 1 at least.
            if (kept <= maxKept && next > GOOD_FRACTION * (1 - nucleus)) {
                break;
            }
            end--;
            kept -= counts[end];
            omitted = next;
        }
        reached = leastOf(end - 1);
        mass = omitted * (1 + ROUNDING);
        return kept > 0 && kept <= maxKept && mass <= MAX_FRACTION;
    }

    /** Returns the least value of a bin and those above it; rounding makes it differ from the formula's. */
    private float leastOf(int bin) {
        float least = (float) (top - (bin + 1) * binWidth);
        while (bin(least) > bin) {
            least = Math.nextUp(least);
        }
        while (bin(Math.nextDown(least)) <= bin) {
            least = Math.nextDown(least);
        }
        return least;
    }

    /** Returns the most that a token of a bin weighs. */
    private static double weight(int bin) {
        return Math.exp(-bin * BIN);
    }

    /** Returns the value that the upper bounds of all tokens reach but for those that are left out. */
    float reached() {
        return reached;
    }

    /** Returns the most that they weigh together. */
    double mass() {
        return mass;
    }
}
