package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;

/** Every kernel of products with stored matrices gives the scalar kernel's bits, for every element type. */
final class MatrixKernelTest {

    private static final int OFFSET = FloatInputs.MARGIN;
    private static final MatrixKernel SCALAR = new ScalarMatrixKernel();

    private FloatInputs inputs = new FloatInputs(0);

    static Stream<MatrixKernel> kernels() {
        return AvailableKernels.widths().stream().map(KernelSelection::matrices);
    }

    @BeforeEach
    void seed(TestInfo test) {
        String method = test.getTestMethod().orElseThrow().getName();
        inputs = new FloatInputs(Seeds.next("MatrixKernelTest#" + method));
    }

    private void compare(MatrixKernel kernel, BiFunction<MatrixKernel, float[], float[]> operation) {
        inputs.forEach(x -> assertThat(FloatInputs.bits(operation.apply(kernel, x.clone())))
                .as("%s, %d values", kernel.name(), x.length)
                .isEqualTo(FloatInputs.bits(operation.apply(SCALAR, x.clone()))));
    }

    @Test
    void kernelsAreNamedAfterTheirWidth() {
        assertThat(kernels().map(MatrixKernel::name)).isEqualTo(AvailableKernels.widths());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void weightedRowsHaveTheScalarBits(MatrixKernel kernel) {
        for (ElementType type :
                new ElementType[] {ElementType.F32, ElementType.F16, ElementType.BF16, ElementType.I8}) {
            for (int columns : new int[] {1, 10, 16, 64, 100, 128}) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment bytes = arena.allocate(7L * columns * type.bytes(), 64);
                    for (long i = 0; i < bytes.byteSize(); i++) {
                        bytes.set(
                                ValueLayout.JAVA_BYTE, i, (byte) inputs.random().nextInt());
                    }
                    FloatMatrix rows = new FloatMatrix(7, columns, type, bytes);
                    float[] weights = inputs.gaussians(OFFSET + 7, 1);
                    float[] accumulator = inputs.gaussians(OFFSET + columns + OFFSET, 1);
                    for (int count = 0; count <= 7; count++) {
                        float[] expected = accumulator.clone();
                        SCALAR.addWeightedRows(rows, count, weights, OFFSET, expected, OFFSET);
                        float[] found = accumulator.clone();
                        kernel.addWeightedRows(rows, count, weights, OFFSET, found, OFFSET);
                        assertThat(FloatInputs.bits(found))
                                .as("%s, %d columns", type, columns)
                                .isEqualTo(FloatInputs.bits(expected));
                    }
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theFloatProductHasTheScalarBitsForEveryElementType(MatrixKernel kernel) {
        int rows = 5;
        for (ElementType type :
                new ElementType[] {ElementType.F32, ElementType.F16, ElementType.BF16, ElementType.I8}) {
            compare(kernel, (k, x) -> {
                int columns = x.length - 2 * OFFSET;
                // Bit patterns of every kind: numbers, subnormal ones, infinities and NaNs of the stored type.
                Random bits = new Random(columns);
                long bytes = (long) rows * columns * type.bytes();
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment segment = arena.allocate(bytes + 1).asSlice(1);
                    for (long i = 0; i < bytes; i++) {
                        segment.set(ValueLayout.JAVA_BYTE, i, (byte) bits.nextInt());
                    }
                    float[] out = new float[rows + 2];
                    FloatMatrix matrix = new FloatMatrix(rows, columns, type, segment);
                    k.multiply(matrix, x, OFFSET, 0, 2, out, 1);
                    k.multiply(matrix, x, OFFSET, 2, rows, out, 1);
                    return out;
                }
            });
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void theFloatProductOfHalvesReadsEveryBitPattern(MatrixKernel kernel) {
        try (Arena arena = Arena.ofConfined()) {
            // Row h is the half with bits h and then zeros, times ones: the product is the half itself.
            int columns = 64;
            int rows = 1 << 16;
            MemorySegment segment = arena.allocate((long) rows * columns * Short.BYTES);
            for (int h = 0; h < rows; h++) {
                segment.set(ValueLayout.JAVA_SHORT, (long) h * columns * Short.BYTES, (short) h);
            }
            float[] ones = new float[columns];
            Arrays.fill(ones, 1);
            float[] out = new float[rows];
            kernel.multiply(new FloatMatrix(rows, columns, ElementType.F16, segment), ones, 0, 0, rows, out, 0);
            float[] expected = new float[rows];
            for (int h = 0; h < rows; h++) {
                expected[h] = Float.float16ToFloat((short) h) + 0f;
            }
            assertThat(FloatInputs.bits(out)).isEqualTo(FloatInputs.bits(expected));
        }
    }
}
