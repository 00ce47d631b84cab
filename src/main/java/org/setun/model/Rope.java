package org.setun.model;

/**
 * Rotary positions in the half-split form (arXiv 2104.09864; the pairing is that of GPT-NeoX): for position {@code p}, pair
 * {@code (z_j, z_{j + n})} of {@code n = headDim / 2} turns by the angle {@code p * f_j}.
 *
 * @param inverseFrequencies {@code f_j}, any scaling included, {@code [headDim / 2]}; not copied
 * @param magnitude multiplies cosine and sine; 1 but for the yarn scaling
 */
public record Rope(float[] inverseFrequencies, float magnitude) {

    /** Computes the turns of position {@code position}: {@code cos} and {@code sin} receive {@code [headDim / 2]} from {@code at}. */
    void turns(int position, float[] cos, float[] sin, int at) {
        for (int j = 0; j < inverseFrequencies.length; j++) {
            // The angle is rounded to float32, as in the reference, and only then evaluated in double.
            double angle = position * inverseFrequencies[j];
            cos[at + j] = (float) Math.cos(angle) * magnitude;
            sin[at + j] = (float) Math.sin(angle) * magnitude;
        }
    }

    /** Turns {@code heads} vectors of {@code 2 * half} values each, in place, by {@code half} turns from {@code at}. */
    static void rotate(float[] x, int offset, int heads, int half, float[] cos, float[] sin, int at) {
        for (int head = 0; head < heads; head++) {
            int first = offset + head * 2 * half;
            for (int j = 0; j < half; j++) {
                float a = x[first + j];
                float b = x[first + half + j];
                x[first + j] = a * cos[at + j] - b * sin[at + j];
                x[first + half + j] = b * cos[at + j] + a * sin[at + j];
            }
        }
    }
}
