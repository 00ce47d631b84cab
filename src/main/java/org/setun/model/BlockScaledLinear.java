package org.setun.model;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;
import org.setun.tensor.TernaryMatrix;

/**
 * A {@link BitLinear} whose trits have a factor for each row and each run of columns, as some GGUF types store them. The product
 * of each run is exact in integers; the runs are added as floats, first to last:
 *
 * <pre>
 * y_r = sum over runs b of (rint(n * s)_b . t_rb^T) * scale_rb / s
 * </pre>
 *
 * @param runs {@code [outputSize, width of a run]} each, left to right, all of one width
 * @param scales {@code [runs, outputSize]}; not copied
 * @param inputNorm the layer's own norm; null where it has none
 */
public record BlockScaledLinear(
        List<TernaryMatrix> runs, float[] scales, @Nullable RmsNorm inputNorm) implements Linear {

    /** No format with such scales has layers that are sparse by themselves; requests may make them so. */
    private static final Sparsity DENSE = new Sparsity.Dense();

    public BlockScaledLinear {
        runs = List.copyOf(runs);
        int rows = runs.getFirst().rows();
        int columns = runs.getFirst().columns();
        if (runs.stream().anyMatch(run -> run.rows() != rows || run.columns() != columns)) {
            throw new IllegalArgumentException("expected runs of one shape, [" + rows + ", " + columns + "]");
        }
        if (columns % QuantizedActivations.PADDING != 0) {
            throw new IllegalArgumentException(
                    "expected runs of a multiple of " + QuantizedActivations.PADDING + " columns, found " + columns);
        }
        if (scales.length != runs.size() * rows) {
            throw new IllegalArgumentException("expected " + runs.size() * rows + " scales, found " + scales.length);
        }
    }

    @Override
    public int inputSize() {
        return runs.size() * runs.getFirst().columns();
    }

    @Override
    public int outputSize() {
        return runs.getFirst().rows();
    }

    @Override
    public long weightBytes() {
        long trits = runs.stream().mapToLong(TernaryMatrix::byteSize).sum();
        return trits + (long) scales.length * Float.BYTES;
    }

    @Override
    public void multiply(LinearInput input, int[] sums, float[] out, Kernels kernels) {
        QuantizedActivations codes = input.codes(DENSE, kernels);
        int tokens = input.tokens();
        int rows = outputSize();
        int runColumns = runs.getFirst().columns();
        kernels.workers().forRange(rows, runs.getFirst().rowBlock(), (from, to) -> {
            for (int token = 0; token < tokens; token++) {
                Arrays.fill(out, token * rows + from, token * rows + to, 0);
            }
            for (int run = 0; run < runs.size(); run++) {
                QuantizedActivations part = codes.columns(run * runColumns, runColumns);
                kernels.ternary().multiply(runs.get(run), part, tokens, from, to, sums);
                for (int token = 0; token < tokens; token++) {
                    int offset = token * rows + from;
                    float factor = 1 / codes.scales()[token];
                    kernels.floating()
                            .addRescaled(sums, offset, to - from, scales, run * rows + from, factor, out, offset);
                }
            }
        });
        long zeros = 0;
        for (TernaryMatrix run : runs) {
            zeros += run.zeros();
        }
        input.counter().weights(weightBytes(), weightBytes());
        input.counter().ternary(rows, inputSize(), zeros, runs.size());
    }
}
