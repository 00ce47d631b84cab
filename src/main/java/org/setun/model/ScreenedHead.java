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
 * one token in eight, and for hidden states of no sane size.
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

    /** Allocates scratch memory for {@code maxRows} rows of logits. */
    Scratch newScratch(int maxRows) {
        return new Scratch(maxRows, screen);
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
        private final boolean[] found;
        private final CandidateSearch[] searches;
        private final int maxCandidates;
        private int screenedCount;
        private int exactCount;

        // For counting: the pass in which a row of weights was read as a candidate's last.
        private final int[] readIn;
        private int pass;

        private Scratch(int maxRows, ScreenMatrix screen) {
            this.maxCandidates = Math.max(1, screen.rows() / CANDIDATE_RATIO);
            this.from = new int[maxRows];
            this.out = new int[maxRows];
            this.norms = new float[maxRows];
            this.screened = new int[maxRows];
            this.exact = new int[maxRows];
            this.bounds = new float[2 * maxRows * screen.panels()];
            this.found = new boolean[maxRows];
            this.readIn = new int[screen.rows()];
            this.searches = new CandidateSearch[maxRows];
            Arrays.setAll(searches, row -> new CandidateSearch(screen));
        }

        /** Returns how many candidates a row may have. */
        int maxCandidates() {
            return maxCandidates;
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

        /** Returns the bounds of the products of the {@code i}-th screened row, from {@link #boundsAt}: see {@link ScreenKernel}. */
        float[] bounds() {
            return bounds;
        }

        int boundsAt(int i) {
            return i * bounds.length / searches.length;
        }

        /** Returns the norm of the {@code i}-th screened row. */
        float norm(int i) {
            return norms[i];
        }

        /** Returns where the estimates of the {@code i}-th screened row begin. */
        int estimatesAt(int i) {
            return out[i];
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
            select(rules, candidates, logits, scratch, kernels);
        }
        Arrays.sort(scratch.exact, 0, scratch.exactCount);
        for (int i = 0; i < scratch.exactCount; i++) {
            candidates[scratch.exact[i]].setAll();
        }
        rescore(input, rules.size(), candidates, logits, kernels);
        if (scratch.exactCount > 0) {
            exact.multiply(input, scratch.exact, scratch.exactCount, logits, kernels);
        }
        count(rules.size(), candidates, scratch, input.counter());
    }

    private void count(int rows, Candidates[] candidates, Scratch scratch, PassCounter counter) {
        if (!counter.isCounting()) {
            return;
        }
        scratch.pass++;
        long candidateRows = 0;
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < candidates[row].count(); i++) {
                int id = candidates[row].ids()[i];
                candidateRows += scratch.readIn[id] == scratch.pass ? 0 : 1;
                scratch.readIn[id] = scratch.pass;
            }
            long done = candidates[row].areAll() ? 0 : candidates[row].count() * (long) exact.inputSize();
            counter.floatsOfRow(row, logitOperations(), done);
        }
        for (int i = 0; i < scratch.screenedCount; i++) {
            counter.floatsOfRow(scratch.screened[i], 0, logitOperations());
        }
        for (int i = 0; i < scratch.exactCount; i++) {
            counter.floatsOfRow(scratch.exact[i], 0, logitOperations());
        }
        long rowBytes = exact.weightBytes() / exact.outputSize();
        counter.weights(
                exact.weightBytes(),
                (scratch.screenedCount > 0 ? weightBytes() : 0)
                        + candidateRows * rowBytes
                        + (scratch.exactCount > 0 ? exact.weightBytes() : 0));
    }

    private long logitOperations() {
        return (long) exact.outputSize() * exact.inputSize();
    }

    /** Computes all logits of one row. */
    void complete(LinearInput input, int row, float[] logits, Kernels kernels) {
        exact.multiply(input, new int[] {row}, 1, logits, kernels);
        input.counter().floatsOfRow(row, 0, logitOperations());
        input.counter().weights(0, exact.weightBytes());
    }

    private boolean isScreenable(CandidateRule rule) {
        return switch (rule) {
            case CandidateRule.All all -> false;
            case CandidateRule.Best best -> best.count() <= screen.panels() / CANDIDATE_RATIO;
            case CandidateRule.Near near -> true;
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

    /** Lists the candidates of all screened rows, rows split among the threads; leaves those that have too many. */
    private void select(
            List<CandidateRule> rules, Candidates[] candidates, float[] estimates, Scratch scratch, Kernels kernels) {
        kernels.workers().forRange(scratch.screenedCount, 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                int row = scratch.screened[i];
                scratch.found[i] = scratch.searches[i].list(rules.get(row), i, estimates, scratch, candidates[row]);
            }
        });
        for (int i = 0; i < scratch.screenedCount; i++) {
            if (!scratch.found[i]) {
                scratch.leave(scratch.screened[i]);
            }
        }
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
