package org.setun.kernel;

import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/** The specification of {@link TernaryKernel}: plain loops over trits. */
final class ScalarTernaryKernel implements TernaryKernel {

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    /** Any will do; this is the one that is most easily read. */
    @Override
    public TernaryLayout layout(int threads) {
        return new TernaryLayout.Cells();
    }

    @Override
    public ColumnPolicy columnPolicy() {
        return ColumnPolicy.AGAINST_MULTIPLICATION;
    }

    @Override
    public void multiply(
            TernaryMatrix weights, QuantizedActivations activations, int tokens, int fromRow, int toRow, int[] sums) {
        activations.requireColumns(weights.columns());
        byte[] trits = new byte[weights.columns()];
        for (int row = fromRow; row < toRow; row++) {
            weights.readRow(row, trits, 0);
            for (int token = 0; token < tokens; token++) {
                sums[token * weights.rows() + row] = dot(trits, activations.codes(), activations.rowOffset(token));
            }
        }
    }

    private static int dot(byte[] trits, byte[] codes, int offset) {
        int sum = 0;
        for (int column = 0; column < trits.length; column++) {
            sum += trits[column] * codes[offset + column];
        }
        return sum;
    }
}
