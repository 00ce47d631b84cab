package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.tensor.ElementType;

/** Every kernel of attention gives the scalar kernel's bits, and that one what the formulas say. */
final class AttentionKernelTest {

    private static final int PAGE_TOKENS = AttentionKernel.PAGE_TOKENS;
    private static final int TILE = AttentionKernel.TILE;
    private static final int[] WIDTHS = {2, 30, 64, 80, 128, 130};

    static Stream<Arguments> kernels() {
        return AvailableKernels.widths().stream()
                .flatMap(name -> KernelSelection.KEY_VALUE_TYPES.stream().map(type -> Arguments.of(name, type)));
    }

    /** A page of random elements, and queries, weights and sums anywhere in their arrays. */
    private static final class Scene {
        private final long at;
        private final MemorySegment page;
        private final float[] heads;
        private final float[] numbers;
        private final AttentionKernel.Tile tile = new AttentionKernel.Tile();

        Scene(Random random, ElementType type, int width, Arena arena) {
            this.at = 4L * random.nextInt(5);
            this.page = arena.allocate(at + (long) PAGE_TOKENS * width * type.bytes(), 64);
            for (int i = 0; i < PAGE_TOKENS * width; i++) {
                set(type, i, random);
            }
            this.heads = new float[TILE * (width + 3)];
            this.numbers = new float[TILE * (PAGE_TOKENS + 5)];
            fill(heads, random);
            fill(numbers, random);
            int[] order = random.ints(0, TILE).distinct().limit(TILE).toArray();
            for (int q = 0; q < TILE; q++) {
                tile.heads()[q] = order[q] * (width + 3) + 1;
                tile.numbers()[q] = order[(q + 1) % TILE] * (PAGE_TOKENS + 5) + 2;
            }
        }

        private void set(ElementType type, int i, Random random) {
            switch (type) {
                case F32 -> page.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * i, (float) random.nextGaussian());
                // All halves, those that are subnormal or not finite among them.
                case F16 -> page.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 2L * i, (short) random.nextInt());
                default -> page.set(ValueLayout.JAVA_BYTE, at + i, (byte) random.nextInt());
            }
        }

        private static void fill(float[] values, Random random) {
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("kernels")
    void scoresAndSumsHaveTheScalarBits(String name, ElementType type) {
        Random random = new Random(Seeds.next("AttentionKernelTest#scoresAndSumsHaveTheScalarBits"));
        AttentionKernel kernel = KernelSelection.attention(name, type);
        AttentionKernel scalar = new ScalarAttentionKernel(type);
        for (int round = 0; round < 100; round++) {
            int width = WIDTHS[random.nextInt(WIDTHS.length)];
            int count = 1 + random.nextInt(TILE);
            int first = random.nextInt(TILE - count + 1);
            int fromToken = random.nextInt(PAGE_TOKENS + 1);
            int toToken = random.nextInt(fromToken, PAGE_TOKENS + 1);
            try (Arena arena = Arena.ofConfined()) {
                Scene scene = new Scene(random, type, width, arena);
                float[] scores = scene.numbers.clone();
                float[] expected = scene.numbers.clone();
                kernel.scores(scene.page, scene.at, width, scene.heads, scores, scene.tile, count);
                scalar.scores(scene.page, scene.at, width, scene.heads, expected, scene.tile, count);
                assertThat(FloatInputs.bits(scores))
                        .as("%s %s, scores of %d queries of %d", name, type, count, width)
                        .isEqualTo(FloatInputs.bits(expected));
                float[] sums = scene.heads.clone();
                float[] expectedSums = scene.heads.clone();
                kernel.addValues(
                        scene.page, scene.at, width, scene.numbers, sums, scene.tile, first, count, fromToken, toToken);
                scalar.addValues(
                        scene.page,
                        scene.at,
                        width,
                        scene.numbers,
                        expectedSums,
                        scene.tile,
                        first,
                        count,
                        fromToken,
                        toToken);
                assertThat(FloatInputs.bits(sums))
                        .as("%s %s, sums of %d queries of %d", name, type, count, width)
                        .isEqualTo(FloatInputs.bits(expectedSums));
            }
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("kernels")
    void scoresAndSumsAreThoseOfTheFormulas(String name, ElementType type) {
        AttentionKernel kernel = KernelSelection.attention(name, type);
        int width = 64;
        try (Arena arena = Arena.ofConfined()) {
            // Small whole numbers: every sum is exact.
            Random random = new Random(7);
            MemorySegment page = arena.allocate((long) PAGE_TOKENS * width * type.bytes(), 64);
            int[] elements = random.ints((long) PAGE_TOKENS * width, -9, 10).toArray();
            for (int i = 0; i < elements.length; i++) {
                switch (type) {
                    case F32 -> page.setAtIndex(ValueLayout.JAVA_FLOAT, i, elements[i]);
                    case F16 -> page.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(elements[i]));
                    default -> page.set(ValueLayout.JAVA_BYTE, i, (byte) elements[i]);
                }
            }
            float[] heads = new float[TILE * width];
            for (int i = 0; i < heads.length; i++) {
                heads[i] = random.nextInt(-9, 10);
            }
            AttentionKernel.Tile tile = new AttentionKernel.Tile();
            for (int q = 0; q < TILE; q++) {
                tile.heads()[q] = q * width;
                tile.numbers()[q] = q * PAGE_TOKENS;
            }
            float[] scores = new float[TILE * PAGE_TOKENS];
            kernel.scores(page, 0, width, heads, scores, tile, TILE);
            for (int q = 0; q < TILE; q++) {
                for (int t = 0; t < PAGE_TOKENS; t++) {
                    float expected = 0;
                    for (int d = 0; d < width; d++) {
                        expected += elements[d * PAGE_TOKENS + t] * heads[q * width + d];
                    }
                    assertThat(scores[q * PAGE_TOKENS + t]).isEqualTo(expected);
                }
            }
            float[] sums = heads.clone();
            kernel.addValues(page, 0, width, scores, sums, tile, 0, TILE, 3, 30);
            for (int q = 0; q < TILE; q++) {
                for (int d = 0; d < width; d++) {
                    float expected = heads[q * width + d];
                    for (int t = 3; t < 30; t++) {
                        expected += scores[q * PAGE_TOKENS + t] * elements[t * width + d];
                    }
                    assertThat(sums[q * width + d]).isEqualTo(expected);
                }
            }
        }
    }
}
