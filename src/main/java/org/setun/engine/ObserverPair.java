package org.setun.engine;

import java.time.Duration;

/** Two observers of one engine, the second of which sees everything after the first. */
public record ObserverPair(EngineObserver first, EngineObserver second) implements EngineObserver {

    @Override
    public void requestQueued(String id, int promptTokens) {
        first.requestQueued(id, promptTokens);
        second.requestQueued(id, promptTokens);
    }

    @Override
    public void requestRejected(String id, EngineRejectedException.Reason reason) {
        first.requestRejected(id, reason);
        second.requestRejected(id, reason);
    }

    @Override
    public void requestStarted(String id, Duration waited, TokenCounts tokens) {
        first.requestStarted(id, waited, tokens);
        second.requestStarted(id, waited, tokens);
    }

    @Override
    public void requestResumed(String id, int lostTokens) {
        first.requestResumed(id, lostTokens);
        second.requestResumed(id, lostTokens);
    }

    @Override
    public void firstToken(String id, Duration sinceSubmission) {
        first.firstToken(id, sinceSubmission);
        second.firstToken(id, sinceSubmission);
    }

    @Override
    public void nextToken(String id, Duration sincePrevious) {
        first.nextToken(id, sincePrevious);
        second.nextToken(id, sincePrevious);
    }

    @Override
    public void requestFinished(RequestReport report, FinishReason reason) {
        first.requestFinished(report, reason);
        second.requestFinished(report, reason);
    }

    @Override
    public void requestComputed(Activity activity) {
        first.requestComputed(activity);
        second.requestComputed(activity);
    }

    @Override
    public void requestFailed(RequestReport report, Throwable cause) {
        first.requestFailed(report, cause);
        second.requestFailed(report, cause);
    }

    @Override
    public void stepFinished(StepReport report) {
        first.stepFinished(report);
        second.stepFinished(report);
    }
}
