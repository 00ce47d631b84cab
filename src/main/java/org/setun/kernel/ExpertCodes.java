package org.setun.kernel;

import java.util.Objects;
import org.setun.tensor.TernaryTable;

/**
 * The int8 input of products with single rows of a {@link TernaryTable}, widened and put in the order of its words once a
 * token, as many rows will meet it. For each block and each {@code k} in 0..7 there are 16 pairs: pair {@code i} holds, as two
 * 16-bit numbers, the codes of the block's columns {@code 16k + i} (low) and {@code 16(k + 8) + i} (high), those that fields
 * {@code k} and {@code k + 8} of word {@code i} are for. So a vector of packed words, seen as 16-bit lanes, meets its codes lane by
 * lane. Columns beyond the input hold code 0.
 *
 * <p>A mutable buffer: allocated once, filled again for every layer, written by the threads that own its tokens and then
 * read by all.
 */
public final class ExpertCodes {

    /** Pairs of 16 columns' worth of words, and pairs of a block. */
    static final int RUN_PAIRS = TernaryTable.BLOCK_WORDS;

    static final int BLOCK_PAIRS = TernaryTable.BLOCK_COLUMNS / 2;

    /** Columns between the two codes of a pair. */
    private static final int HALF_BLOCK = TernaryTable.BLOCK_COLUMNS / 2;

    private final int columns;
    private final int stride;
    private final int[] pairs;
    private final int[] codeSums;

    /** Allocates space for {@code capacity} tokens of {@code columns} codes. */
    public ExpertCodes(int capacity, int columns) {
        this.columns = columns;
        this.stride = Math.ceilDiv(columns, TernaryTable.BLOCK_COLUMNS) * BLOCK_PAIRS;
        this.pairs = new int[Math.multiplyExact(capacity, stride)];
        this.codeSums = new int[capacity];
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Takes over the codes of token {@code token}. */
    public void set(QuantizedActivations activations, int token) {
        activations.requireColumns(columns);
        byte[] codes = activations.codes();
        int at = activations.rowOffset(token);
        int sum = 0;
        for (int column = 0; column < columns; column++) {
            sum += codes[at + column];
        }
        codeSums[token] = sum;
        for (int first = 0; first < columns; first += TernaryTable.BLOCK_COLUMNS) {
            int to = token * stride + first / 2;
            int low = Math.min(HALF_BLOCK, columns - first);
            for (int i = 0; i < low; i++) {
                pairs[to + i] = codes[at + first + i] & 0xffff;
            }
            int high = Math.min(HALF_BLOCK, columns - first - HALF_BLOCK);
            for (int i = 0; i < high; i++) {
                pairs[to + i] |= codes[at + first + HALF_BLOCK + i] << Short.SIZE;
            }
        }
    }

    /** Returns the code of token {@code token} for column {@code column}. */
    int code(int token, int column) {
        Objects.checkIndex(column, columns);
        int inBlock = column % TernaryTable.BLOCK_COLUMNS;
        int pair = pairs[pairsOffset(token) + column / TernaryTable.BLOCK_COLUMNS * BLOCK_PAIRS + inBlock % HALF_BLOCK];
        return inBlock < HALF_BLOCK ? (short) pair : pair >> Short.SIZE;
    }

    /** Returns all pairs; those of token {@code t} start at {@link #pairsOffset}. */
    int[] pairs() {
        return pairs;
    }

    int pairsOffset(int token) {
        return token * stride;
    }

    /** Returns the sum of the codes of token {@code token}. */
    int codeSum(int token) {
        return codeSums[token];
    }

    /** Checks that there are {@code expected} columns, the table's number. */
    void requireColumns(int expected) {
        if (columns != expected) {
            throw new IllegalArgumentException(
                    "expected codes of " + expected + " columns, as the table has, found " + columns);
        }
    }
}
