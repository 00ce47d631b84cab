package org.setun.architecture;

import org.setun.tensor.FloatMatrix;

/**
 * Float masters made ternary on the way (arXiv 2402.17764, section 2): {@code t = clamp(rint(w / scale), -1, 1)}, the
 * scale being the mean magnitude of the whole matrix, of which this may be a part.
 *
 * @param masters the float weights
 * @param firstRow the row of {@code masters} that is row 0 here
 * @param scale the mean magnitude
 */
record AbsmeanTrits(FloatMatrix masters, int firstRow, float scale) implements TernarySource {

    @Override
    public TritScales scales() {
        return new TritScales.Uniform(scale);
    }

    @Override
    public void readRow(int row, byte[] trits, int offset) {
        int columns = masters.columns();
        float[] weights = new float[columns];
        masters.readRow(firstRow + row, weights, 0);
        // As upstream: one reciprocal, then float32 products.
        float reciprocal = 1 / scale;
        for (int c = 0; c < columns; c++) {
            float scaled = weights[c] * reciprocal;
            // rint with halves to even, clamped: 0.5 becomes 0, 1.5 becomes 2 and then 1.
            trits[offset + c] = (byte) ((scaled > 0.5f ? 1 : 0) - (scaled < -0.5f ? 1 : 0));
        }
    }
}
