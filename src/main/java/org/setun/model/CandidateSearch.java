package org.setun.model;

import java.util.Arrays;
import org.setun.tensor.ScreenMatrix;

/**
 * Finds the tokens of one row that a {@link CandidateRule} can choose, by the bounds that a {@link ScreenMatrix} gives for their
 * logits. The largest bounds of each panel are known beforehand, so that few panels are looked at. For one thread at a time.
 */
final class CandidateSearch {

    private static final int PANEL_ROWS = ScreenMatrix.PANEL_ROWS;

    /** More than the rounding, relatively, of a few operations in double precision. */
    private static final double ROUNDING = 1e-12;

    private final ScreenMatrix screen;
    private final float[] lowers;
    private final double[] reaches;
    private final TailMass tail = new TailMass();
    private float[] estimates = {};
    private float[] bounds = {};
    private int estimatesAt;
    private int boundsAt;
    private float norm;

    CandidateSearch(ScreenMatrix screen) {
        this.screen = screen;
        this.lowers = new float[screen.panels()];
        this.reaches = new double[screen.panels()];
    }

    /**
     * Lists the candidates of the {@code i}-th screened row.
     *
     * @param rule one that leaves tokens out
     * @param estimates those of all rows
     * @param scratch where the row's numbers lie
     * @param candidates receives the list
     * @return false if there are more candidates than there is space for, or the bounds are of no use
     */
    boolean list(CandidateRule rule, int i, float[] estimates, ScreenedHead.Scratch scratch, Candidates candidates) {
        this.estimates = estimates;
        this.bounds = scratch.bounds();
        this.estimatesAt = scratch.estimatesAt(i);
        this.boundsAt = scratch.boundsAt(i);
        this.norm = scratch.norm(i);
        return switch (rule) {
            case CandidateRule.All all -> throw new IllegalArgumentException("a rule that leaves nothing out");
            case CandidateRule.Best best -> {
                float reached = lowerBound(best.count());
                candidates.begin(reached, Double.POSITIVE_INFINITY);
                yield listFrom(reached, candidates);
            }
            case CandidateRule.Near near -> listNear(near, candidates);
            case CandidateRule.Nucleus nucleus -> listNucleus(nucleus, candidates);
            case CandidateRule.Perturbed perturbed -> listPerturbed(perturbed, candidates);
        };
    }

    private float lower(int id) {
        return estimates[estimatesAt + id] - screen.radii()[id] * norm;
    }

    private float upper(int id) {
        return estimates[estimatesAt + id] + screen.radii()[id] * norm;
    }

    private float largestLower(int panel) {
        return bounds[boundsAt + 2 * panel];
    }

    private float largestUpper(int panel) {
        return bounds[boundsAt + 2 * panel + 1];
    }

    private int end(int panel) {
        return Math.min(screen.rows(), (panel + 1) * PANEL_ROWS);
    }

    /** Returns a value that at least {@code count} logits reach: so many panels have one that does. */
    private float lowerBound(int count) {
        for (int panel = 0; panel < lowers.length; panel++) {
            lowers[panel] = largestLower(panel);
        }
        Arrays.sort(lowers);
        return lowers[lowers.length - count];
    }

    private float top() {
        float top = Float.NEGATIVE_INFINITY;
        for (int panel = 0; panel < lowers.length; panel++) {
            top = Math.max(top, largestLower(panel));
        }
        return top;
    }

    /** Lists the tokens that may be so close to the largest, of which a lower bound is known. */
    private boolean listNear(CandidateRule.Near near, Candidates candidates) {
        float reached = Math.nextDown((float) (top() - near.distance()));
        if (reached == Float.NEGATIVE_INFINITY) {
            return false;
        }
        candidates.begin(reached, Double.POSITIVE_INFINITY);
        return listFrom(reached, candidates);
    }

    /** Adds all tokens whose upper bound is not below {@code reached}; false if they are too many. */
    private boolean listFrom(float reached, Candidates candidates) {
        for (int panel = 0; panel < lowers.length; panel++) {
            if (largestUpper(panel) >= reached) {
                for (int id = panel * PANEL_ROWS; id < end(panel); id++) {
                    if (upper(id) >= reached && !candidates.add(id)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    /**
     * Lists the tokens that make up the nucleus, and so many more that what the others weigh hardly matters. What is left out is
     * bounded from above by a histogram of the upper bounds.
     */
    private boolean listNucleus(CandidateRule.Nucleus nucleus, Candidates candidates) {
        float top = top();
        if (top == Float.NEGATIVE_INFINITY) {
            return false;
        }
        tail.clear(top, nucleus.temperature());
        for (int id = 0; id < screen.rows(); id++) {
            tail.add(upper(id));
        }
        if (!tail.cut(candidates.maxCount(), nucleus.mass())) {
            return false;
        }
        candidates.begin(tail.reached(), tail.mass());
        return listFrom(tail.reached(), candidates);
    }

    /** Lists the tokens whose logit with noise may be the largest of all. */
    private boolean listPerturbed(CandidateRule.Perturbed perturbed, Candidates candidates) {
        float top = top();
        if (top == Float.NEGATIVE_INFINITY) {
            return false;
        }
        CandidateRule.Noise noise = perturbed.noise();
        double temperature = perturbed.temperature();
        int first = 0;
        for (int panel = 0; panel < reaches.length; panel++) {
            reaches[panel] = ((double) largestUpper(panel) - top) / temperature + noise.largest(panel);
            first = reaches[panel] > reaches[first] ? panel : first;
        }
        double reached = Double.NEGATIVE_INFINITY;
        for (int id = first * PANEL_ROWS; id < end(first); id++) {
            reached = Math.max(reached, ((double) lower(id) - top) / temperature + noise.of(id));
        }
        // The sampler subtracts another maximum: what differs by rounding alone is a candidate.
        reached -= ROUNDING * (1 + Math.abs(reached) + Math.abs(top) / temperature);
        candidates.begin(Float.POSITIVE_INFINITY, 0);
        for (int panel = 0; panel < reaches.length; panel++) {
            if (!(reaches[panel] < reached)) {
                for (int id = panel * PANEL_ROWS; id < end(panel); id++) {
                    double reach = ((double) upper(id) - top) / temperature + noise.of(id);
                    if (!(reach < reached) && !candidates.add(id)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }
}
