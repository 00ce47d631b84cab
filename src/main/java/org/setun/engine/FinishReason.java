package org.setun.engine;

/** Why a sequence ended. */
public enum FinishReason {
    /** A stop token was generated, or the consumer asked to stop at a stop string. */
    STOP,
    /** The token limit was reached. */
    LENGTH,
    /** The consumer cancelled. */
    CANCELLED,
    /** The request's time was over. */
    TIMEOUT
}
