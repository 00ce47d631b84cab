package org.setun.kernel;

import java.util.Arrays;
import org.setun.tensor.TernaryColumns;

/** The specification of {@link SparseTernaryKernel}: plain loops over trits. */
final class ScalarSparseTernaryKernel implements SparseTernaryKernel {

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public void multiply(
            TernaryColumns weights,
            QuantizedActivations activations,
            int token,
            int fromRow,
            int toRow,
            int[] sums,
            int sumsOffset) {
        activations.requireColumns(weights.columns());
        Arrays.fill(sums, sumsOffset, sumsOffset + toRow - fromRow, 0);
        int offset = activations.rowOffset(token);
        for (int i = 0; i < activations.nonZeros(token); i++) {
            int column = activations.nonZeroColumns()[offset + i];
            int code = activations.codes()[offset + column];
            for (int row = fromRow; row < toRow; row++) {
                sums[sumsOffset + row - fromRow] += code * weights.trit(row, column);
            }
        }
    }
}
