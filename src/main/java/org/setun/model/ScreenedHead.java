package org.setun.model;

import java.util.Arrays;
import java.util.List;
import org.setun.kernel.Kernels;
import org.setun.kernel.ScreenKernel;
import org.setun.tensor.ScreenMatrix;

/**
 * An output head of floats that reads eight bits a weight, and the floats themselves only for tokens that may come to be chosen.
 * The estimates of a {@link ScreenMatrix} bound every logit from both sides; the candidates, all tokens whose upper bound
 * reaches what the chosen ones must have, then get their exact logit. So the {@link CandidateRule} is served as by the exact head, to the bit,
 * for little more than the estimates' half or quarter of the bytes.
 *
 * <p>The exact head takes over where the bounds are of no use: for rules that want all tokens, for rows with more candidates than
 * {@link #maxCandidates}, and for hidden states of no sane size.
 *
 * @param exact the head, without an input norm
 * @param screen its weights in eight bits
 */
record ScreenedHead(FloatLinear exact, ScreenMatrix screen) {

    /** Inputs with norms beyond these are left to the exact head: no sum overflows between them, or is lost to underflow. */
    private static final double MIN_NORM = 1e-20;

    private static final double MAX_NORM = 1e18;

    /** One in so many tokens may be a candidate, and one in so many panels have one of the best: that is cheaper than all. */
    private static final int CANDIDATE_RATIO = 8;

    /** More than the rounding, relatively, of a few operations in double precision. */
    private static final double ROUNDING = 1e-12;

    /** Rescored rows that a worker takes at least. */
    private static final int RESCORE_GRANULARITY = 8;

    ScreenedHead {
        if (exact.inputNorm() != null) {
            throw new IllegalArgumentException("expected a head without an input norm");
        }
        if (screen.rows() != exact.outputSize() || screen.columns() != exact.inputSize()) {
            throw new IllegalArgumentException("expected a screen [" + exact.outputSize() + ", " + exact.inputSize()
                    + "], found [" + screen.rows() + ", " + screen.columns() + "]");
        }
    }

    /** Returns how many candidates a row may have. */
    static int maxCandidates(int vocabSize) {
        return Math.max(1, vocabSize / CANDIDATE_RATIO);
    }

    /** Returns the bytes of weights that a pass reads but for those of candidates. */
    long weightBytes() {
        return screen.codes().byteSize();
    }

    /** Scratch memory for some rows of logits. */
    static final class Scratch {

        private final int[] from;
        private final int[] out;
        private final float[] norms;
        private final int[] screened;
        private final int[] exact;
        private final float[] bounds;
        private final float[] lowers;
        private final double[] reaches;
        private final TailMass tail = new TailMass();
        private int screenedCount;
        private int exactCount;

        Scratch(int maxRows, int vocabSize) {
            int panels = Math.ceilDiv(vocabSize, ScreenMatrix.PANEL_ROWS);
            this.from = new int[maxRows];
            this.out = new int[maxRows];
            this.norms = new float[maxRows];
            this.screened = new int[maxRows];
            this.exact = new int[maxRows];
            this.bounds = new float[2 * maxRows * panels];
            this.lowers = new float[panels];
            this.reaches = new double[panels];
        }

        private void clear() {
            screenedCount = 0;
            exactCount = 0;
        }

        private void screen(int row, int columns, int vocabSize, double norm) {
            from[screenedCount] = row * columns;
            out[screenedCount] = row * vocabSize;
            norms[screenedCount] = Math.nextUp((float) norm);
            screened[screenedCount++] = row;
        }

        private void leave(int row) {
            exact[exactCount++] = row;
        }
    }

    /**
     * Computes the logits that matter.
     *
     * @param input {@code [rows, hidden]}
     * @param rules what matters of each row
     * @param candidates receives which logits have been computed
     * @param logits receives them, {@code [rows, vocab]}; those of other tokens are of no meaning
     */
    void forward(
            LinearInput input,
            List<CandidateRule> rules,
            Candidates[] candidates,
            float[] logits,
            Scratch scratch,
            Kernels kernels) {
        scratch.clear();
        for (int row = 0; row < rules.size(); row++) {
            double norm = norm(input.values(), row * exact.inputSize());
            if (isScreenable(rules.get(row)) && norm >= MIN_NORM && norm <= MAX_NORM) {
                scratch.screen(row, screen.columns(), screen.rows(), norm);
            } else {
                scratch.leave(row);
            }
        }
        if (scratch.screenedCount > 0) {
            estimate(input, logits, scratch, kernels);
            for (int i = 0; i < scratch.screenedCount; i++) {
                int row = scratch.screened[i];
                if (!select(rules.get(row), i, logits, candidates[row], scratch)) {
                    scratch.leave(row);
                }
            }
        }
        Arrays.sort(scratch.exact, 0, scratch.exactCount);
        for (int i = 0; i < scratch.exactCount; i++) {
            candidates[scratch.exact[i]].setAll();
        }
        rescore(input, rules.size(), candidates, logits, kernels);
        if (scratch.exactCount > 0) {
            exact.multiply(input, scratch.exact, scratch.exactCount, logits, kernels);
        }
    }

    /** Computes all logits of one row. */
    void complete(LinearInput input, int row, float[] logits, Kernels kernels) {
        exact.multiply(input, new int[] {row}, 1, logits, kernels);
    }

    private boolean isScreenable(CandidateRule rule) {
        return switch (rule) {
            case CandidateRule.All all -> false;
            case CandidateRule.Best best -> best.count() <= screen.panels() / CANDIDATE_RATIO;
            case CandidateRule.Nucleus nucleus -> true;
            case CandidateRule.Perturbed perturbed -> perturbed.noise().block() == ScreenMatrix.PANEL_ROWS;
        };
    }

    private double norm(float[] values, int from) {
        double squares = 0;
        for (int c = 0; c < screen.columns(); c++) {
            squares += (double) values[from + c] * values[from + c];
        }
        return Math.sqrt(squares);
    }

    private void estimate(LinearInput input, float[] logits, Scratch scratch, Kernels kernels) {
        ScreenKernel.Inputs inputs = new ScreenKernel.Inputs(
                input.values(), scratch.from, scratch.norms, scratch.out, scratch.screenedCount);
        kernels.workers()
                .forRange(
                        screen.panels(),
                        1,
                        (from, to) -> kernels.screen().estimate(screen, inputs, from, to, logits, scratch.bounds));
    }

    /** Lists the candidates of the {@code i}-th screened row; false if there are too many. */
    private boolean select(CandidateRule rule, int i, float[] estimates, Candidates candidates, Scratch scratch) {
        return switch (rule) {
            case CandidateRule.All all -> throw new IllegalArgumentException("a rule without candidates");
            case CandidateRule.Best best -> {
                float reached = lowerBound(best.count(), i, scratch);
                candidates.begin(reached, Double.POSITIVE_INFINITY);
                yield list(reached, i, estimates, candidates, scratch);
            }
            case CandidateRule.Nucleus nucleus -> selectNucleus(nucleus, i, estimates, candidates, scratch);
            case CandidateRule.Perturbed perturbed -> selectPerturbed(perturbed, i, estimates, candidates, scratch);
        };
    }

    /** Returns a value that at least {@code count} logits reach: so many panels have one that does. */
    private float lowerBound(int count, int i, Scratch scratch) {
        int panels = screen.panels();
        if (count == 1) {
            float largest = Float.NEGATIVE_INFINITY;
            for (int panel = 0; panel < panels; panel++) {
                largest = Math.max(largest, scratch.bounds[2 * (i * panels + panel)]);
            }
            return largest;
        }
        for (int panel = 0; panel < panels; panel++) {
            scratch.lowers[panel] = scratch.bounds[2 * (i * panels + panel)];
        }
        Arrays.sort(scratch.lowers);
        return scratch.lowers[panels - count];
    }

    /** Adds all tokens whose upper bound is not below {@code reached}; false if they are too many. */
    private boolean list(float reached, int i, float[] estimates, Candidates candidates, Scratch scratch) {
        int panels = screen.panels();
        float norm = scratch.norms[i];
        for (int panel = 0; panel < panels; panel++) {
            if (scratch.bounds[2 * (i * panels + panel) + 1] >= reached) {
                int first = panel * ScreenMatrix.PANEL_ROWS;
                for (int id = first; id < end(panel); id++) {
                    float upper = estimates[scratch.out[i] + id] + screen.radii()[id] * norm;
                    if (upper >= reached && !candidates.add(id)) {
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
    private boolean selectNucleus(
            CandidateRule.Nucleus nucleus, int i, float[] estimates, Candidates candidates, Scratch scratch) {
        TailMass tail = scratch.tail;
        float largest = lowerBound(1, i, scratch);
        if (largest == Float.NEGATIVE_INFINITY) {
            return false;
        }
        tail.clear(largest, nucleus.temperature());
        int out = scratch.out[i];
        float norm = scratch.norms[i];
        for (int id = 0; id < screen.rows(); id++) {
            tail.add(estimates[out + id] + screen.radii()[id] * norm);
        }
        if (!tail.cut(candidates.maxCount(), nucleus.mass())) {
            return false;
        }
        candidates.begin(tail.reached(), tail.mass());
        return list(tail.reached(), i, estimates, candidates, scratch);
    }

    /** Lists the tokens whose logit with noise may be the largest of all. */
    private boolean selectPerturbed(
            CandidateRule.Perturbed perturbed, int i, float[] estimates, Candidates candidates, Scratch scratch) {
        int panels = screen.panels();
        float top = lowerBound(1, i, scratch);
        if (top == Float.NEGATIVE_INFINITY) {
            return false;
        }
        CandidateRule.Noise noise = perturbed.noise();
        double temperature = perturbed.temperature();
        int first = 0;
        for (int panel = 0; panel < panels; panel++) {
            double upper = scratch.bounds[2 * (i * panels + panel) + 1];
            scratch.reaches[panel] = (upper - top) / temperature + noise.largest(panel);
            first = scratch.reaches[panel] > scratch.reaches[first] ? panel : first;
        }
        double reached = Double.NEGATIVE_INFINITY;
        for (int id = first * ScreenMatrix.PANEL_ROWS; id < end(first); id++) {
            double lower = estimates[scratch.out[i] + id] - screen.radii()[id] * scratch.norms[i];
            reached = Math.max(reached, (lower - top) / temperature + noise.of(id));
        }
        // The sampler subtracts another maximum: what differs by rounding alone is a candidate.
        reached -= ROUNDING * (1 + Math.abs(reached) + Math.abs(top) / temperature);
        candidates.begin(Float.POSITIVE_INFINITY, 0);
        for (int panel = 0; panel < panels; panel++) {
            if (!(scratch.reaches[panel] < reached)) {
                for (int id = panel * ScreenMatrix.PANEL_ROWS; id < end(panel); id++) {
                    double upper = estimates[scratch.out[i] + id] + screen.radii()[id] * scratch.norms[i];
                    if (!((upper - top) / temperature + noise.of(id) < reached) && !candidates.add(id)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    private int end(int panel) {
        return Math.min(screen.rows(), (panel + 1) * ScreenMatrix.PANEL_ROWS);
    }

    /** Computes the exact logits of all candidates. */
    private void rescore(LinearInput input, int rows, Candidates[] candidates, float[] logits, Kernels kernels) {
        int total = 0;
        for (int row = 0; row < rows; row++) {
            total += candidates[row].count();
        }
        kernels.workers().forRange(total, RESCORE_GRANULARITY, (from, to) -> {
            int first = 0;
            for (int row = 0; row < rows; row++) {
                int count = candidates[row].count();
                int end = Math.min(to, first + count);
                for (int job = Math.max(from, first); job < end; job++) {
                    int id = candidates[row].ids()[job - first];
                    kernels.matrices()
                            .multiply(
                                    exact.weights(),
                                    input.values(),
                                    row * screen.columns(),
                                    id,
                                    id + 1,
                                    logits,
                                    row * screen.rows());
                }
                first += count;
            }
        });
    }
}
