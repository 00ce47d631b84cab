package org.setun.cli;

/**
 * How well a model predicts texts.
 *
 * @param tokens how many tokens were predicted
 * @param bytes how many bytes of UTF-8 they stand for
 * @param bits their negative log2 likelihood, summed
 */
record Score(long tokens, long bytes, double bits) {

    /** Returns {@code 2^(bits / tokens)}. */
    double perplexity() {
        return Math.pow(2, bits / tokens);
    }

    /** Returns bits by byte, which do not depend on the tokenizer. */
    double bitsPerByte() {
        return bits / bytes;
    }
}
