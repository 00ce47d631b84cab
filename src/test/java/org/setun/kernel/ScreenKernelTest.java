package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.tensor.ScreenMatrix;

/** No product leaves the bounds that a screen gives for it, and the bounds are tight enough to be of use. */
final class ScreenKernelTest {

    private static final int PANEL_ROWS = ScreenMatrix.PANEL_ROWS;

    static Stream<ScreenKernel> kernels() {
        return AvailableKernels.widths().stream().map(KernelSelection::screen);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void everyProductLiesWithinItsBounds(ScreenKernel kernel) {
        Random random = new Random(Seeds.next("ScreenKernelTest#everyProductLiesWithinItsBounds"));
        for (int round = 0; round < 40; round++) {
            int rows = 1 + random.nextInt(3 * PANEL_ROWS);
            int columns = 1 + random.nextInt(300);
            int count = 1 + random.nextInt(9);
            float[][] weights = new float[rows][];
            Arrays.setAll(weights, r -> values(random, columns, scale(random)));
            float[][] inputs = new float[count][];
            Arrays.setAll(inputs, i -> values(random, columns, scale(random)));
            try (Arena arena = Arena.ofConfined()) {
                check(kernel, screen(weights, arena), weights, inputs, random);
            }
        }
    }

    /** Magnitudes that floats of a model may have, and some that they had better not. */
    private static float scale(Random random) {
        return (float) Math.pow(10, random.nextInt(-12, 7));
    }

    /** Values of which some are outliers, some are equal, and some are 0. */
    private static float[] values(Random random, int count, float scale) {
        float[] values = new float[count];
        int kind = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            values[i] = switch (kind) {
                case 0 -> scale;
                case 1 -> random.nextBoolean() ? 0 : -scale;
                case 2 -> (float) (scale * Math.pow(random.nextGaussian(), 5));
                default -> (float) (scale * random.nextGaussian());
            };
        }
        return values;
    }

    private static ScreenMatrix screen(float[][] weights, Arena arena) {
        ScreenMatrix.Builder builder = new ScreenMatrix.Builder(weights.length, weights[0].length, arena);
        for (int r = 0; r < weights.length; r++) {
            builder.setRow(r, weights[r]);
        }
        return builder.build();
    }

    private static void check(
            ScreenKernel kernel, ScreenMatrix screen, float[][] weights, float[][] inputs, Random random) {
        int rows = screen.rows();
        int columns = screen.columns();
        int count = inputs.length;
        // Inputs and results lie in any order, with gaps.
        int[] from = places(count, columns, random);
        int[] out = places(count, rows, random);
        float[] x = new float[count * (columns + 3)];
        float[] norms = new float[count];
        for (int i = 0; i < count; i++) {
            System.arraycopy(inputs[i], 0, x, from[i], columns);
            double squares = 0;
            for (float value : inputs[i]) {
                squares += (double) value * value;
            }
            norms[i] = Math.nextUp((float) Math.sqrt(squares));
        }
        float untouched = -1234.5f;
        float[] estimates = new float[count * (rows + 3)];
        Arrays.fill(estimates, untouched);
        float[] bounds = new float[2 * count * screen.panels()];
        ScreenKernel.Inputs all = new ScreenKernel.Inputs(x, from, norms, out, count);
        int cut = random.nextInt(screen.panels() + 1);
        kernel.estimate(screen, all, 0, cut, estimates, bounds);
        kernel.estimate(screen, all, cut, screen.panels(), estimates, bounds);
        for (int i = 0; i < count; i++) {
            for (int panel = 0; panel < screen.panels(); panel++) {
                float lower = Float.NEGATIVE_INFINITY;
                float upper = Float.NEGATIVE_INFINITY;
                for (int r = panel * PANEL_ROWS; r < Math.min(rows, (panel + 1) * PANEL_ROWS); r++) {
                    float estimate = estimates[out[i] + r];
                    float deviation = screen.radii()[r] * norms[i];
                    assertThat((double) estimate)
                            .as("%s, row %d of [%d, %d], input %d", kernel.name(), r, rows, columns, i)
                            .isBetween(
                                    exact(weights[r], inputs[i]) - deviation, exact(weights[r], inputs[i]) + deviation);
                    lower = Math.max(lower, estimate - deviation);
                    upper = Math.max(upper, estimate + deviation);
                }
                int at = 2 * (i * screen.panels() + panel);
                assertThat(bounds[at]).isEqualTo(lower);
                assertThat(bounds[at + 1]).isEqualTo(upper);
            }
            assertThat(Arrays.copyOfRange(estimates, out[i] + rows, out[i] + rows + 3))
                    .containsOnly(untouched);
        }
    }

    private static int[] places(int count, int length, Random random) {
        int[] order = random.ints(0, count).distinct().limit(count).toArray();
        return Arrays.stream(order).map(place -> place * (length + 3)).toArray();
    }

    private static double exact(float[] weights, float[] x) {
        double sum = 0;
        for (int c = 0; c < x.length; c++) {
            sum += (double) weights[c] * x[c];
        }
        return sum;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theBoundsOfAHeadAreAFractionOfItsLogits(ScreenKernel kernel) {
        Random random = new Random(20261125);
        int columns = 2560;
        float[][] weights = new float[PANEL_ROWS][];
        Arrays.setAll(weights, r -> gaussians(random, columns));
        try (Arena arena = Arena.ofConfined()) {
            ScreenMatrix screen = screen(weights, arena);
            for (int r = 0; r < PANEL_ROWS; r++) {
                // A logit's deviation over such rows is the input's norm; eight bits leave half of it in doubt.
                assertThat(screen.radii()[r]).isBetween(0.2f, 0.6f);
            }
            float[] x = gaussians(random, columns);
            float[] estimates = new float[PANEL_ROWS];
            kernel.estimate(
                    screen,
                    new ScreenKernel.Inputs(x, new int[1], new float[] {51}, new int[1], 1),
                    0,
                    1,
                    estimates,
                    new float[2]);
            for (int r = 0; r < PANEL_ROWS; r++) {
                assertThat(Math.abs(estimates[r] - exact(weights[r], x))).isLessThan(3);
            }
        }
    }

    private static float[] gaussians(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void aRowThatIsNotFiniteIsInDoubtForEveryInput(ScreenKernel kernel) {
        try (Arena arena = Arena.ofConfined()) {
            ScreenMatrix.Builder builder = new ScreenMatrix.Builder(3, 2, arena);
            builder.setRow(0, new float[] {1, Float.NaN});
            builder.setRow(1, new float[] {Float.NEGATIVE_INFINITY, 1});
            builder.setRow(2, new float[] {1, 1});
            ScreenMatrix screen = builder.build();
            float[] bounds = new float[2];
            float[] estimates = new float[3];
            kernel.estimate(
                    screen,
                    new ScreenKernel.Inputs(new float[] {1, 1}, new int[1], new float[] {1.5f}, new int[1], 1),
                    0,
                    1,
                    estimates,
                    bounds);
            assertThat(screen.radii()[0]).isInfinite();
            assertThat(screen.radii()[1]).isInfinite();
            assertThat(bounds[0]).isCloseTo(2, within(0.1f));
            assertThat(bounds[1]).isEqualTo(Float.POSITIVE_INFINITY);
        }
    }
}
