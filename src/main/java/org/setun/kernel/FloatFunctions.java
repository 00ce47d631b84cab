package org.setun.kernel;

/**
 * The elementary functions of {@link FloatKernel} on single floats, as short fixed sequences of correctly rounded operations:
 * the vector kernels execute the same sequences in every lane and so give the same bits. {@link Math#exp} could not promise
 * that, as its last bit may differ between platforms.
 */
final class FloatFunctions {

    /** Below this {@code exp} is 0, above {@link #EXP_MAX} infinite; between, powers of two fit into the two-step scaling. */
    static final float EXP_MIN = -104;

    static final float EXP_MAX = 89;
    static final float LOG2_E = 1.442695f;

    /** 1.5 * 2^23: adding it rounds a float of magnitude below 2^22 to an integer, half to even, in the low mantissa bits. */
    static final float ROUNDER = 0x1.8p23f;

    /** ln 2 in two parts; the high one has so few bits that its product with an exponent is exact. */
    static final float LN2_HIGH = 0x1.63p-1f;

    static final float LN2_LOW = -2.1219444e-4f;

    /**
     * {@code exp(r) = 1 + r + r^2 * P(r)} for {@code |r| <= ln(2) / 2}: coefficients of P, the constant first, from a weighted
     * least-squares fit towards the smallest relative error, 3.1e-9 before rounding.
     */
    static final float EXP_0 = 0.49999994f;

    static final float EXP_1 = 0.16666521f;
    static final float EXP_2 = 0.04166839f;
    static final float EXP_3 = 0.008368745f;
    static final float EXP_4 = 0.0013814539f;

    static final int EXPONENT_BIAS = 127;
    static final int MANTISSA_BITS = 23;

    /**
     * {@code erfc(z) = t * exp(-z^2 + P(t))} with {@code t = 1 / (1 + z / 2)} for {@code z >= 0}: coefficients of P, the constant
     * first, interpolated at the Chebyshev points of {@code t} in [0, 1] with 60 digits; relative error below 7e-9.
     */
    private static final double[] ERFC = {
        -1.2655121170707262,
        0.9999978343568101,
        0.37512063167248894,
        0.08070750305818251,
        -0.05647743427273634,
        -0.3379492491978383,
        0.7125918327995515,
        -2.1227180445386407,
        3.8225773902430333,
        -3.696915255871211,
        1.9822865480879337,
        -0.5567954856692163,
        0.06308584359433057
    };

    private FloatFunctions() {}

    /** Returns e to the power of {@code x}, with a relative error below 1.2e-7 where the result is a normal number. */
    static float exp(float x) {
        float clamped = Math.min(Math.max(x, EXP_MIN), EXP_MAX);
        float rounded = Math.fma(clamped, LOG2_E, ROUNDER);
        float n = rounded - ROUNDER;
        float r = Math.fma(n, -LN2_HIGH, clamped);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(EXP_4, r, EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r, EXP_1);
        p = Math.fma(p, r, EXP_0);
        p = Math.fma(p, r * r, r) + 1;
        // 2^n in two factors: one alone would leave the exponent's range near overflow and underflow.
        int exponent = Float.floatToRawIntBits(rounded) - Float.floatToRawIntBits(ROUNDER);
        int half = exponent >> 1;
        return p * powerOfTwo(half) * powerOfTwo(exponent - half);
    }

    private static float powerOfTwo(int exponent) {
        return Float.intBitsToFloat((exponent + EXPONENT_BIAS) << MANTISSA_BITS);
    }

    /** Returns {@code 1 / (1 + exp(-x))}. */
    static float sigmoid(float x) {
        return 1 / (1 + exp(-x));
    }

    /** Returns {@code x / (1 + exp(-x))}, which is {@code x * sigmoid(x)} with one rounding less. */
    static float silu(float x) {
        return x / (1 + exp(-x));
    }

    /** Returns {@code x * (1 + erf(x / sqrt(2))) / 2}, computed in double precision. */
    static float gelu(float x) {
        return (float) (0.5 * x * erfc(-x * Math.sqrt(0.5)));
    }

    /** Returns the complementary error function. {@link StrictMath} keeps it the same on every platform. */
    static double erfc(double x) {
        double z = Math.abs(x);
        double t = 2 / (2 + z);
        double p = 0;
        for (int i = ERFC.length - 1; i >= 0; i--) {
            p = p * t + ERFC[i];
        }
        double tail = t * StrictMath.exp(p - z * z);
        return x < 0 ? 2 - tail : tail;
    }

    /** Returns the value of one activation. */
    static float activate(Activation activation, float x) {
        return switch (activation) {
            case SILU -> silu(x);
            case RELU2 -> {
                float positive = Math.max(0, x);
                yield positive * positive;
            }
            case RELU -> Math.max(0, x);
            case GELU -> gelu(x);
        };
    }
}
