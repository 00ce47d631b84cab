package org.setun.model;

/**
 * Rotary positions in the half-split form (arXiv 2104.09864; the pairing is that of GPT-NeoX): for position {@code p}, pair
 * {@code (z_j, z_{j + n})} of {@code n = headDim / 2} turns by the angle {@code p * f_j}.
 *
 * @param inverseFrequencies {@code f_j}, any scaling included, {@code [headDim / 2]}; not copied
 * @param magnitude multiplies cosine and sine; 1 but for the yarn scaling
 */
public record Rope(float[] inverseFrequencies, float magnitude) {

    /** Computes the turns of position {@code position}: {@code cos} and {@code sin} receive {@code [headDim / 2]}. */
    void turns(int position, float[] cos, float[] sin) {
        for (int j = 0; j < inverseFrequencies.length; j++) {
            // The angle is rounded to float32, as in the reference, and only then evaluated in double.
            double angle = position * inverseFrequencies[j];
            cos[j] = (float) Math.cos(angle) * magnitude;
            sin[j] = (float) Math.sin(angle) * magnitude;
        }
    }

    /** Turns {@code heads} vectors of {@code headDim} values each, in place. */
    static void rotate(float[] x, int offset, int heads, float[] cos, float[] sin) {
        int half = cos.length;
        for (int head = 0; head < heads; head++) {
            int first = offset + head * 2 * half;
            for (int j = 0; j < half; j++) {
                float a = x[first + j];
                float b = x[first + half + j];
                x[first + j] = a * cos[j] - b * sin[j];
                x[first + half + j] = b * cos[j] + a * sin[j];
            }
        }
    }
}
