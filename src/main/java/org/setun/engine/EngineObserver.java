package org.setun.engine;

import java.time.Duration;

/**
 * Sees what an engine does, for metrics and traces. All methods but {@link #requestRejected} run on the engine thread,
 * between steps: they must be quick and must not throw.
 */
public interface EngineObserver {

    /** An observer that does nothing. */
    EngineObserver NONE = new EngineObserver() {};

    /** Sees that an accepted request waits for a state slot. */
    default void requestQueued(String id, int promptTokens) {}

    /** Sees that a request was not taken. Runs on the thread that submitted it. */
    default void requestRejected(String id, EngineRejectedException.Reason reason) {}

    /** Sees that a request got its first place in the engine, {@code waited} after its submission, with what is known of its prompt. */
    default void requestStarted(String id, Duration waited, TokenCounts tokens) {}

    /** Sees that a request which had lost its memory got another place, and computes {@code lostTokens} tokens a second time. */
    default void requestResumed(String id, int lostTokens) {}

    /** Sees a request's first generated token, {@code sinceSubmission} after its submission. */
    default void firstToken(String id, Duration sinceSubmission) {}

    /** Sees a generated token after the first, {@code sincePrevious} after the one before it. */
    default void nextToken(String id, Duration sincePrevious) {}

    /** Sees that a request has ended as it should. */
    default void requestFinished(RequestReport report, FinishReason reason) {}

    /** Sees what the model did for a request that ends as it should, before the request is finished. */
    default void requestComputed(Activity activity) {}

    /** Sees that a request has ended because of a fault, or because the engine shut down. */
    default void requestFailed(RequestReport report, Throwable cause) {}

    /** Sees that a step is done; its tokens and ends have been reported before. */
    default void stepFinished(StepReport report) {}
}
