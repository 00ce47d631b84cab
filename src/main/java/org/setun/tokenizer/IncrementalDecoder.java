package org.setun.tokenizer;

/**
 * Decodes a sequence id by id. What {@link #append} returns never changes later and never ends inside a character; all
 * results and {@link #flush} joined are the decoding of the whole. For one thread at a time.
 */
public interface IncrementalDecoder {

    /**
     * Takes the next id and returns the text that has become certain, which may be empty.
     *
     * @throws IllegalArgumentException if the id is not in the vocabulary
     */
    String append(int id);

    /** Returns what was held back. Nothing may be appended afterwards. */
    String flush();
}
