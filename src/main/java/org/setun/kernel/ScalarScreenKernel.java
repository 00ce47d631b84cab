package org.setun.kernel;

import org.setun.tensor.ScreenMatrix;

/** Plain loops. */
final class ScalarScreenKernel implements ScreenKernel {

    private static final int PANEL_ROWS = ScreenMatrix.PANEL_ROWS;

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public void estimate(
            ScreenMatrix matrix, Inputs inputs, int fromPanel, int toPanel, float[] estimates, float[] bounds) {
        float[] sums = new float[PANEL_ROWS];
        for (int panel = fromPanel; panel < toPanel; panel++) {
            for (int i = 0; i < inputs.count(); i++) {
                int first = panel * PANEL_ROWS;
                for (int row = first; row < Math.min(matrix.rows(), first + PANEL_ROWS); row++) {
                    float sum = 0;
                    for (int column = 0; column < matrix.columns(); column++) {
                        sum = Math.fma(
                                (float) matrix.code(row, column), inputs.values()[inputs.from()[i] + column], sum);
                    }
                    sums[row - first] = sum;
                }
                finish(matrix, inputs, i, panel, sums, 0, estimates, bounds);
            }
        }
    }

    /** Makes estimates and bounds of the sums of an input's codes with the rows of a panel. */
    static void finish(
            ScreenMatrix matrix,
            Inputs inputs,
            int input,
            int panel,
            float[] sums,
            int sumsOffset,
            float[] estimates,
            float[] bounds) {
        int first = panel * PANEL_ROWS;
        int rows = Math.min(PANEL_ROWS, matrix.rows() - first);
        int out = inputs.out()[input] + first;
        float norm = inputs.norms()[input];
        float lower = Float.NEGATIVE_INFINITY;
        float upper = Float.NEGATIVE_INFINITY;
        for (int r = 0; r < rows; r++) {
            float estimate = matrix.scales()[first + r] * sums[sumsOffset + r];
            float deviation = matrix.radii()[first + r] * norm;
            estimates[out + r] = estimate;
            lower = Math.max(lower, estimate - deviation);
            upper = Math.max(upper, estimate + deviation);
        }
        int at = (input * matrix.panels() + panel) * 2;
        bounds[at] = lower;
        bounds[at + 1] = upper;
    }
}
