package org.setun.model;

/**
 * What is counted at a {@link Site}. Operations are those of products: matrices with vectors, queries with keys, weights with values. What
 * works on one element at a time, as norms, nonlinearities, rotary turns, the recurrence and quantising do, is the same in any
 * model, and is not counted. They are the operations of the arithmetic, however many of them an instruction does.
 */
public enum Measure {
    /** Int8 activations that ternary products were given; codes that several products share count once. */
    ELEMENTS(0),
    /** How many of {@link #ELEMENTS} were zero, by their values or by sparsity. */
    ZEROS(1),
    /**
     * Bytes of weights that the passes would have read with nothing left out: each matrix once a pass, all experts of a layer,
     * the head as it is without a screen, and of the embedding a row for each token.
     */
    DENSE_BYTES(2),
    /**
     * Bytes of weights that were read, each once a pass: of a product by columns the columns in which a token has a non-zero
     * code, of experts those that a token retrieved, of a screened head the screen and the rows of candidates.
     */
    READ_BYTES(3),
    /**
     * Multiplications, and as many additions, that the same products would take with floats and nothing left out: one for each weight and
     * token, and for each element of what a query attends to.
     */
    DENSE_OPERATIONS(4),
    /**
     * Additions and subtractions that were needed. In a ternary product they are one for each pair of a non-zero code and a
     * non-zero weight, counted as non-zero codes times the mean number of non-zero weights of a column, rounded: exact where
     * all columns have as many, and an expectation that does not know which columns were left out elsewhere.
     */
    ADDITIONS(5),
    /** Multiplications that were left: those with float weights, keys and values, and one for each factor of a ternary sum. */
    MULTIPLICATIONS(6);

    private final int index;

    Measure(int index) {
        this.index = index;
    }

    /** Returns its number, from 0 on. */
    int index() {
        return index;
    }
}
