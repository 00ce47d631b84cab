package org.setun.tokenizer;

/** Takes the pieces of a text in order: a stage of decoding, or its end. For one thread at a time. */
interface PieceSink {

    /** Takes the next piece. */
    void piece(String piece);

    /** Says that no piece follows, so that nothing is held back any longer. */
    void end();
}
