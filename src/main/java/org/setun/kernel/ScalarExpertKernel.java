package org.setun.kernel;

import org.setun.tensor.TernaryTable;

/** The specification of {@link ExpertKernel}: plain loops over trits. */
final class ScalarExpertKernel implements ExpertKernel {

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public void multiply(
            TernaryTable table, ExpertCodes codes, int[] rows, int[] tokens, int from, int to, int[] sums) {
        codes.requireColumns(table.columns());
        for (int i = from; i < to; i++) {
            int sum = 0;
            for (int column = 0; column < table.columns(); column++) {
                sum += table.trit(rows[i], column) * codes.code(tokens[i], column);
            }
            sums[i] = sum;
        }
    }

    @Override
    public void addRows(
            TernaryTable table, int[] rows, int[] tokens, float[] factors, int count, float[] out, Part part) {
        int from = part.fromBlock() * TernaryTable.BLOCK_COLUMNS;
        int to = Math.min(table.columns(), part.toBlock() * TernaryTable.BLOCK_COLUMNS);
        for (int i = 0; i < count; i++) {
            if (part.has(tokens[i])) {
                addRow(table, rows[i], from, to, factors[i], out, tokens[i] * table.columns());
            }
        }
    }

    /** Adds columns {@code [from, to)} of one row to those of {@code out[outOffset ..]}. */
    static void addRow(TernaryTable table, int row, int from, int to, float factor, float[] out, int outOffset) {
        for (int column = from; column < to; column++) {
            out[outOffset + column] += signed(table.trit(row, column), factor);
        }
    }

    private static float signed(int trit, float factor) {
        return switch (trit) {
            case -1 -> -factor;
            case 1 -> factor;
            default -> 0;
        };
    }
}
