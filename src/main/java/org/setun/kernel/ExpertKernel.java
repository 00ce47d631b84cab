package org.setun.kernel;

import org.setun.tensor.TernaryTable;

/**
 * The arithmetic on single rows of ternary tables, each row picked for one token. All implementations compute the same bits;
 * {@link ScalarExpertKernel} is their specification. Stateless; several threads may call it for disjoint results.
 *
 * <p>A list of picks is a row and a token for each index: {@code rows[i]} and {@code tokens[i]}. Neighbours in the list may
 * share the row, which is then read from memory once, or the token.
 */
public interface ExpertKernel {

    /** Returns a short name for logs, such as {@code vector-512}. */
    String name();

    /**
     * Computes exact integer products for picks {@code [from, to)}: {@code sums[i] = sum_c code[tokens[i], c] * trit[rows[i],
     * c]}.
     *
     * @param table {@code [rows, columns]}
     * @param codes {@code [tokens, columns]}
     * @throws IllegalArgumentException if the columns of table and codes differ
     */
    void multiply(TernaryTable table, ExpertCodes codes, int[] rows, int[] tokens, int from, int to, int[] sums);

    /**
     * Adds or subtracts a float for each trit of picks {@code [0, count)}, in the order of the list, as far as they belong to
     * {@code part}: {@code out[tokens[i], c] += factors[i]}, {@code -= factors[i]} or {@code += 0} as the trit of {@code (rows[i],
     * c)} is 1, -1 or 0. One rounding for each pick and column, and no product.
     *
     * @param table {@code [rows, columns]}
     * @param out {@code [tokens, columns]}
     * @param part which tokens and columns
     */
    void addRows(TernaryTable table, int[] rows, int[] tokens, float[] factors, int count, float[] out, Part part);

    /**
     * A part of a result {@code [tokens, columns]}.
     *
     * @param fromToken the first token
     * @param toToken the token after the last
     * @param fromBlock the first block of {@link TernaryTable#BLOCK_COLUMNS} columns
     * @param toBlock the block after the last, at most the table's number
     */
    record Part(int fromToken, int toToken, int fromBlock, int toBlock) {

        /** Returns whether a token belongs to this part. */
        boolean has(int token) {
            return token >= fromToken && token < toToken;
        }
    }
}
