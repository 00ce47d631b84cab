package org.setun.generation;

import java.time.Duration;

/** Sees what generators and embedders do beside the engine, for metrics. Methods may run on any thread, must be quick and must not throw. */
public interface GenerationObserver {

    /** An observer that does nothing. */
    GenerationObserver NONE = new GenerationObserver() {};

    /** Sees that a prompt has become tokens, its chat template rendered if it has one. */
    default void tokenized(Duration duration) {}

    /** Sees a token that was generated after the text had come to a stop string, and is of no use. */
    default void tokenDiscarded() {}
}
