package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.kernel.RetrievalKernel.Rows;
import org.setun.tensor.PanelMatrix;

/** Every retrieval kernel that this machine can run gives the scores and the choice of the definition, bit for bit. */
final class RetrievalKernelTest {

    private static final float UNTOUCHED = 12345;

    private Random random = new Random();

    static Stream<RetrievalKernel> kernels() {
        return AvailableKernels.widths().stream().map(KernelSelection::retrieval);
    }

    @BeforeEach
    void seed(TestInfo test) {
        String method = test.getTestMethod().orElseThrow().getName();
        random = new Random(Seeds.next("RetrievalKernelTest#" + method));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void scoresAreRunningSumsOfFusedProducts(RetrievalKernel kernel) {
        for (int rows : new int[] {1, 2, 31, 32, 33, 64, 97, 256}) {
            for (int columns : new int[] {1, 2, 7, 16, 64, 131}) {
                for (int queries : new int[] {0, 1, 2, 3, 4, 5, 8, 11}) {
                    checkScores(kernel, rows, columns, queries);
                }
            }
        }
    }

    private void checkScores(RetrievalKernel kernel, int rows, int columns, int count) {
        float[] source = values(rows * columns);
        int stride = columns + random.nextInt(3);
        float[] queries = values(2 + count * stride);
        int outStride = rows + random.nextInt(3);
        float[] found = new float[3 + count * outStride + rows];
        Arrays.fill(found, UNTOUCHED);
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix keys = new PanelMatrix(rows, columns, source, 0, arena);
            int from = random.nextInt(keys.panels());
            int to = from + 1 + random.nextInt(keys.panels() - from);
            kernel.scores(keys, from, to, new Rows(queries, 2, stride), new Rows(found, 3, outStride), count);

            float[] expected = new float[found.length];
            Arrays.fill(expected, UNTOUCHED);
            for (int q = 0; q < count; q++) {
                for (int row = from * 32; row < Math.min(rows, to * 32); row++) {
                    float sum = 0;
                    for (int column = 0; column < columns; column++) {
                        sum = Math.fma(source[row * columns + column], queries[2 + q * stride + column], sum);
                    }
                    expected[3 + q * outStride + row] = sum;
                }
            }
            assertThat(bits(found))
                    .as("%s, [%d, %d], %d queries", kernel.name(), rows, columns, count)
                    .isEqualTo(bits(expected));
        }
    }

    /** Returns numbers of many sizes, now and then extreme ones. */
    private float[] values(int length) {
        float[] special = {0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 3e38f, Float.MIN_VALUE
        };
        float[] values = new float[length];
        boolean ordinary = random.nextBoolean();
        for (int i = 0; i < length; i++) {
            values[i] = ordinary || random.nextInt(50) > 0
                    ? (float) random.nextGaussian()
                    : special[random.nextInt(special.length)];
        }
        return values;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theLargestAreThoseOfAStableSort(RetrievalKernel kernel) {
        for (int length : new int[] {0, 1, 2, 5, 16, 63, 64, 127, 128, 129, 131, 256, 1021, 1024}) {
            for (int k : new int[] {0, 1, 2, 8, 16, 17, 32, 33, 64, 1000}) {
                if (k <= length) {
                    checkLargest(kernel, values(length), k);
                    checkLargest(kernel, fewDifferentValues(length), k);
                }
            }
        }
    }

    /** Returns values of which most are equal to others. */
    private float[] fewDifferentValues(int length) {
        float[] choice = {0f, -0f, 1f, 1f, 2f, -1f, Float.NEGATIVE_INFINITY, Float.NaN};
        int different = 1 + random.nextInt(choice.length);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = choice[random.nextInt(different)];
        }
        return values;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theLargestOfExtremeInputs(RetrievalKernel kernel) {
        float[] ascending = new float[500];
        float[] descending = new float[500];
        for (int i = 0; i < 500; i++) {
            ascending[i] = i;
            descending[i] = -i;
        }
        float[] onlyFewNumbers = new float[500];
        Arrays.fill(onlyFewNumbers, Float.NaN);
        onlyFewNumbers[77] = -3;
        onlyFewNumbers[401] = Float.NEGATIVE_INFINITY;
        for (int k : new int[] {1, 16, 32, 100, 500}) {
            checkLargest(kernel, ascending, k);
            checkLargest(kernel, descending, k);
            checkLargest(kernel, onlyFewNumbers, k);
            for (float value : new float[] {0, Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY}) {
                float[] equal = new float[500];
                Arrays.fill(equal, value);
                checkLargest(kernel, equal, k);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theLargestSumsAreThoseOfAStableSortOfAllPairs(RetrievalKernel kernel) {
        for (int k : new int[] {0, 1, 2, 3, 8, 16, 33}) {
            for (int round = 0; round < 50; round++) {
                float[] candidates = round % 2 == 0 ? values(2 * k + 40) : fewDifferentValues(2 * k + 40);
                int side = k + 20;
                int[] indices = new int[2 * k + 1];
                float[] values = new float[2 * k + 1];
                kernel.largest(candidates, 0, side, k, indices, values, 1);
                kernel.largest(candidates, side, side, k, indices, values, 1 + k);
                int[] pairs = new int[k];
                float[] sums = new float[k];
                kernel.largestSums(indices, values, 1, k, side, pairs, sums, 0);

                int[] expected = IntStream.range(0, k * k)
                        .boxed()
                        .sorted(Comparator.comparingDouble(i -> -rank(values[1 + i / k] + values[1 + k + i % k])))
                        .limit(k)
                        .mapToInt(i -> indices[1 + i / k] * side + indices[1 + k + i % k])
                        .toArray();
                assertThat(pairs).isEqualTo(expected);
                for (int i = 0; i < k; i++) {
                    float sum = candidates[pairs[i] / side] + candidates[side + pairs[i] % side];
                    assertThat(Float.floatToIntBits(sums[i])).isEqualTo(Float.floatToIntBits(sum));
                }
            }
        }
    }

    private static void checkLargest(RetrievalKernel kernel, float[] x, int k) {
        float[] shifted = new float[x.length + 5];
        Arrays.fill(shifted, Float.POSITIVE_INFINITY);
        System.arraycopy(x, 0, shifted, 2, x.length);
        int[] indices = new int[k + 2];
        float[] values = new float[k + 2];
        Arrays.fill(indices, -9);
        Arrays.fill(values, UNTOUCHED);
        kernel.largest(shifted, 2, x.length, k, indices, values, 1);

        int[] expected = IntStream.range(0, x.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -rank(x[i])))
                .limit(k)
                .mapToInt(i -> i)
                .toArray();
        assertThat(Arrays.copyOfRange(indices, 1, k + 1))
                .as("%s, %d of %d", kernel.name(), k, x.length)
                .isEqualTo(expected);
        for (int i = 0; i < k; i++) {
            assertThat(Float.floatToIntBits(values[1 + i])).isEqualTo(Float.floatToIntBits(x[expected[i]]));
        }
        assertThat(indices[0]).isEqualTo(-9);
        assertThat(indices[k + 1]).isEqualTo(-9);
        assertThat(values[k + 1]).isEqualTo(UNTOUCHED);
    }

    /** Returns the value to order by: a negated double, so that -0 and 0 are equal. */
    private static double rank(float value) {
        return Float.isNaN(value) ? Double.NEGATIVE_INFINITY : value + 0.0;
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToIntBits(values[i]));
        return bits;
    }

    @Test
    void kernelsAreNamedAfterTheirWidth() {
        assertThat(kernels().map(RetrievalKernel::name)).isEqualTo(AvailableKernels.widths());
    }
}
