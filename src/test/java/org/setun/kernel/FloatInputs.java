package org.setun.kernel;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;

/** Values that float kernels are compared on: of every length, ordinary and special. */
final class FloatInputs {

    /** Values before and behind those that an operation is asked to touch. */
    static final int MARGIN = 5;

    private static final int[] LENGTHS = {
        0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 63, 64, 65, 127, 128, 131, 1021, 2560, 6912
    };
    private static final float[] SPECIAL = {
        0f,
        -0f,
        1f,
        -1f,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        Float.MIN_NORMAL,
        87.3f,
        -87.4f,
        88.7f,
        88.8f,
        -88.8f,
        -103f,
        104.5f,
        -104.5f,
        1e30f,
        -1e30f,
        Float.MAX_VALUE,
        -Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.NaN
    };

    private final Random random;

    FloatInputs(long seed) {
        this.random = new Random(seed);
    }

    Random random() {
        return random;
    }

    /** Gives arrays of values with a {@link #MARGIN} on either side. */
    void forEach(Consumer<float[]> check) {
        for (int length : LENGTHS) {
            for (float scale : new float[] {1e-7f, 1, 30}) {
                float[] x = gaussians(MARGIN + length + MARGIN, scale);
                check.accept(x);
                for (int i = 0; i < x.length; i++) {
                    if (random.nextInt(4) == 0) {
                        x[i] = SPECIAL[random.nextInt(SPECIAL.length)];
                    }
                }
                check.accept(x);
            }
        }
    }

    float[] gaussians(int length, float scale) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return values;
    }

    /** Returns all bits but those of NaNs: which one comes out of an operation on two NaNs is not defined. */
    static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToIntBits(values[i]));
        return bits;
    }
}
