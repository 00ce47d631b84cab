package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every float kernel that this machine can run gives the scalar kernel's bits, and those are what the contract says. */
final class FloatKernelTest {

    private static final int OFFSET = FloatInputs.MARGIN;
    private static final FloatKernel SCALAR = new ScalarFloatKernel();

    private FloatInputs inputs = new FloatInputs(0);

    static Stream<FloatKernel> kernels() {
        return AvailableKernels.widths().stream().map(KernelSelection::floating);
    }

    @BeforeEach
    void seed(TestInfo test) {
        String method = test.getTestMethod().orElseThrow().getName();
        inputs = new FloatInputs(Seeds.next("FloatKernelTest#" + method));
    }

    /** Runs an operation with both kernels on values of every length, ordinary and special, and compares all bits. */
    private void compare(FloatKernel kernel, BiFunction<FloatKernel, float[], float[]> operation) {
        inputs.forEach(x -> assertThat(FloatInputs.bits(operation.apply(kernel, x.clone())))
                .as("%s, %d values", kernel.name(), x.length)
                .isEqualTo(FloatInputs.bits(operation.apply(SCALAR, x.clone()))));
    }

    private float[] gaussians(int length, float scale) {
        return inputs.gaussians(length, scale);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void rmsNormHasTheScalarBits(FloatKernel kernel) {
        float[] weight = gaussians(7000, 1);
        compare(kernel, (k, x) -> {
            k.rmsNorm(x, OFFSET, x.length - 2 * OFFSET, weight, 1e-6f, x, OFFSET);
            return x;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void softmaxHasTheScalarBits(FloatKernel kernel) {
        compare(kernel, (k, x) -> {
            k.softmax(x, OFFSET, x.length - OFFSET - 1, 0.3f);
            return x;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void softmaxIsAccurateToFloatPrecision(FloatKernel kernel) {
        for (int length : new int[] {1, 2, 63, 1000, 4096}) {
            float[] x = gaussians(length, 8);
            double[] expected = new double[length];
            double max = IntStream.range(0, length)
                    .mapToDouble(j -> x[j] * 0.25f)
                    .max()
                    .orElseThrow();
            Arrays.setAll(expected, j -> Math.exp((double) (x[j] * 0.25f) - max));
            double sum = Arrays.stream(expected).sum();
            kernel.softmax(x, 0, length, 0.25f);
            for (int j = 0; j < length; j++) {
                assertThat((double) x[j]).isCloseTo(expected[j] / sum, Offset.offset(2e-6 * expected[j] / sum + 1e-37));
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void rmsNormIsAccurateToFloatPrecision(FloatKernel kernel) {
        for (int length : new int[] {1, 64, 2560, 6912, 13824}) {
            for (int round = 0; round < 20; round++) {
                float[] x = gaussians(length, 3);
                float[] weight = gaussians(length, 1);
                float[] out = new float[length];
                kernel.rmsNorm(x, 0, length, weight, 1e-6f, out, 0);
                double sum = 0;
                for (float value : x) {
                    sum += (double) value * value;
                }
                double root = Math.sqrt(sum / length + 1e-6f);
                for (int j = 0; j < length; j++) {
                    double exact = x[j] / root * weight[j];
                    assertThat((double) out[j]).isCloseTo(exact, within(exact, 3e-7));
                }
            }
        }
    }

    private static Offset<Double> within(double exact, double relative) {
        return Offset.offset(Math.abs(exact) * relative + 1e-40);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void quantizeHasTheScalarCodesAndScale(FloatKernel kernel) {
        compare(kernel, (k, x) -> {
            int length = x.length - 2 * OFFSET;
            byte[] codes = new byte[x.length];
            Arrays.fill(codes, (byte) 99);
            float[] result = new float[codes.length + 1];
            result[codes.length] = k.quantize(x, OFFSET, length, codes, OFFSET);
            for (int i = 0; i < codes.length; i++) {
                result[i] = codes[i];
            }
            return result;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void quantizeRoundsHalvesToEvenAndFillsTheCodeRange(FloatKernel kernel) {
        float[] x = new float[64];
        Arrays.fill(x, 62.5f);
        x[0] = 127;
        x[1] = -127;
        x[2] = 63.5f;
        x[3] = -62.5f;
        x[4] = 0.5f;
        byte[] codes = new byte[64];
        assertThat(kernel.quantize(x, 0, 64, codes, 0)).isEqualTo(1f);
        assertThat(Arrays.copyOf(codes, 6)).containsExactly(127, -127, 64, -62, 0, 62);
        assertThat(codes[63]).isEqualTo((byte) 62);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void quantizeKeepsAFloorUnderTheUnit(FloatKernel kernel) {
        byte[] codes = new byte[70];
        assertThat(kernel.quantize(new float[70], 0, 70, codes, 0)).isEqualTo(127 / 1e-5f);
        assertThat(codes).containsOnly(0);
        float[] tiny = new float[70];
        Arrays.fill(tiny, 5e-6f);
        kernel.quantize(tiny, 0, 70, codes, 0);
        assertThat(codes).containsOnly((int) Math.rint(5e-6f * (127 / 1e-5f)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void quantizeMarksARowThatIsNotFiniteByItsScale(FloatKernel kernel) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int at : new int[] {0, 69}) {
                float[] x = gaussians(70, 1);
                x[at] = bad;
                byte[] codes = new byte[70];
                Arrays.fill(codes, (byte) 1);
                float scale = kernel.quantize(x, 0, 70, codes, 0);
                assertThat(codes).containsOnly(0);
                assertThat(0 * (1 / scale)).isNaN();
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void rescaleHasTheScalarBits(FloatKernel kernel) {
        compare(kernel, (k, x) -> {
            int[] sums = new int[x.length];
            for (int i = 0; i < sums.length; i++) {
                sums[i] = Float.floatToIntBits(x[i]);
            }
            float[] out = new float[x.length];
            k.rescale(sums, OFFSET, x.length - 2 * OFFSET, 0.37f, out, OFFSET);
            return out;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void addRescaledHasTheScalarBits(FloatKernel kernel) {
        float[] scales = gaussians(7000, 2);
        compare(kernel, (k, x) -> {
            int[] sums = new int[x.length];
            for (int i = 0; i < sums.length; i++) {
                sums[i] = Float.floatToIntBits(x[i]) >> 8;
            }
            k.addRescaled(sums, OFFSET, x.length - 2 * OFFSET, scales, 3, 0.37f, x, OFFSET);
            return x;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void addAndMultiplyHaveTheScalarBits(FloatKernel kernel) {
        float[] y = gaussians(7000, 2);
        compare(kernel, (k, x) -> {
            k.add(y, 3, x.length - 2 * OFFSET, x, OFFSET);
            k.multiply(y, 8, x.length - 2 * OFFSET, x, OFFSET);
            return x;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void standardizeAffineAndSigmoidHaveTheScalarBits(FloatKernel kernel) {
        float[] weight = gaussians(7000, 2);
        float[] bias = gaussians(7000, 1);
        compare(kernel, (k, x) -> {
            int length = x.length - 2 * OFFSET;
            float[] sigmoids = x.clone();
            k.sigmoid(sigmoids, OFFSET, length);
            k.standardize(x, OFFSET, length, 1e-6f);
            k.affine(x, OFFSET, length, weight, bias, 3);
            float[] both = Arrays.copyOf(x, 2 * x.length);
            System.arraycopy(sigmoids, 0, both, x.length, x.length);
            return both;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void standardizeIsAccurateToFloatPrecision(FloatKernel kernel) {
        for (int length : new int[] {2, 64, 128, 1000}) {
            float[] x = gaussians(length, 3);
            for (int j = 0; j < length; j++) {
                x[j] += 5;
            }
            float[] found = x.clone();
            kernel.standardize(found, 0, length, 1e-6f);
            double mean =
                    IntStream.range(0, length).mapToDouble(j -> x[j]).average().orElseThrow();
            double variance = IntStream.range(0, length)
                    .mapToDouble(j -> (x[j] - mean) * (x[j] - mean))
                    .average()
                    .orElseThrow();
            // The mean's last place counts for more the closer the values lie to it.
            double conditioned = 2e-6 + 4 * Math.ulp(0.5f) * Math.abs(mean) / Math.sqrt(variance + 1e-6);
            for (int j = 0; j < length; j++) {
                double exact = (x[j] - mean) / Math.sqrt(variance + 1e-6);
                assertThat((double) found[j]).isCloseTo(exact, Offset.offset(conditioned));
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void gateHasTheScalarBitsForEveryActivation(FloatKernel kernel) {
        float[] up = gaussians(7000, 2);
        for (Activation activation : Activation.values()) {
            compare(kernel, (k, x) -> {
                k.gate(activation, x, OFFSET, up, 2, x.length - 2 * OFFSET, x, OFFSET);
                return x;
            });
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void mlgruStepHasTheScalarBits(FloatKernel kernel) {
        float[] forget = gaussians(7000, 3);
        float[] lowerBound = new float[7000];
        float[] state = gaussians(7000, 1);
        for (int i = 0; i < lowerBound.length; i++) {
            lowerBound[i] = inputs.random().nextFloat();
        }
        compare(kernel, (k, x) -> {
            int channels = x.length - 2 * OFFSET;
            return withSegment(state, channels, segment -> {
                int half = channels / 2;
                k.mlgruStep(x, forget, OFFSET, lowerBound, segment, 0, half, x);
                k.mlgruStep(x, forget, OFFSET, lowerBound, segment, half, channels, x);
                return x;
            });
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void causalConvolutionStepHasTheScalarBits(FloatKernel kernel) {
        float[] past = gaussians(7000 * 3, 1);
        float[] weight = gaussians(7000 * 4, 1);
        for (int taps = 1; taps <= 4; taps++) {
            int K = taps;
            compare(kernel, (k, x) -> {
                int channels = x.length - 2 * OFFSET;
                return withSegment(past, (K - 1) * channels, history -> {
                    int half = channels / 2;
                    k.causalConvolutionStep(x, OFFSET, weight, K, history, channels, 0, half, x, OFFSET);
                    k.causalConvolutionStep(x, OFFSET, weight, K, history, channels, half, channels, x, OFFSET);
                    return x;
                });
            });
        }
    }

    /** Runs a body on a misaligned native copy of {@code values}; returns its result followed by the changed copy. */
    private static float[] withSegment(float[] values, int length, Function<MemorySegment, float[]> body) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(length * 4L + 4, 64).asSlice(4);
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, length);
            float[] result = body.apply(segment);
            float[] changed = segment.toArray(ValueLayout.JAVA_FLOAT);
            float[] both = Arrays.copyOf(result, result.length + changed.length);
            System.arraycopy(changed, 0, both, result.length, changed.length);
            return both;
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theConvolutionShiftsItsHistory(FloatKernel kernel) {
        float[] weight = {1, 10, 100};
        withSegment(new float[] {1, 2}, 2, history -> {
            float[] out = new float[1];
            for (float x : new float[] {3, 4, 5}) {
                kernel.causalConvolutionStep(new float[] {x}, 0, weight, 3, history, 1, 0, 1, out, 0);
                float sum = (x - 2) + 10 * (x - 1) + 100 * x;
                assertThat(out[0]).isEqualTo(FloatFunctions.silu(sum));
            }
            assertThat(history.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(4, 5);
            return out;
        });
    }
}
